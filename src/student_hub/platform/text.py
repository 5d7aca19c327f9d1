"""Text as people send it: in NFC, refused where it hides something, set apart where it is free."""

import re
import unicodedata
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
HIDDEN_LETTERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Letters by category that no reader sees: fillers, the grapheme joiner, the empty Braille cell."""


def clean(value: object) -> object:
    """The text in NFC without blanks around it; an error for control, bidi or invisible characters.

    Anything that is not text is handed on for the type's own check.
    """
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).strip()
    if not text.isascii() or not text.isprintable():
        _refuse_hidden(text)
    return text


def visible(text: str) -> str:
    """The text without control, direction and invisible characters; line breaks and tabs stay."""
    if text.isprintable() and HIDDEN_LETTERS.isdisjoint(text):
        return text
    return "".join(letter for letter in text if letter in "\n\t" or not _hides(letter))


def _hides(letter: str) -> bool:
    return letter in HIDDEN_LETTERS or unicodedata.category(letter) in HIDDEN_CATEGORIES


def _refuse_hidden(text: str) -> None:
    for letter in text:
        if _hides(letter):
            raise PydanticCustomError(
                "hidden_character",
                "has a control, direction or invisible character (U+{code})",
                {"code": f"{ord(letter):04X}"},
            )


Text = Annotated[str, BeforeValidator(clean), Field(strict=True, min_length=1)]
"""Text that is not empty; add `Field(max_length=…)`, which counts what is left after NFC."""

LONGEST_UNTRUSTED = 500
LONGEST_LABEL = 80
MOST_WORDS = 7
SENTENCE = re.compile(r"[^\w\s·,.'’()&+\-–/°%²³]|(?<!\b\w)[.]\s|www[.]")
"""Signs that stand in sentences, addresses and markup, and not in the name of something."""
ORDER = re.compile(
    r"ignore|disregard|forget|override|instruct|prompt|system message|assistant|developer|"
    r"jailbreak|password|secret|api.?key|token|execute|reveal|"
    r"무시|잊어|지시(?:를|에|는|사항|문)|명령|프롬프트|시스템|어시스턴트|관리자|개발자|비밀|암호|토큰|출력해|"
    r"알려|보내|실행|삭제해",
    re.IGNORECASE,
)
"""Words that orders to a language model are made of, in the platform's two languages."""


class Untrusted(BaseModel):
    """Free text that somebody outside the hub wrote: data, whatever it says; never an order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    untrusted_text: Annotated[str, Field(max_length=LONGEST_UNTRUSTED)]


def is_label(text: str) -> bool:
    """Whether the text looks like the name of something, and like nothing else."""
    short = len(text) <= LONGEST_LABEL and len(text.split()) <= MOST_WORDS and "\n" not in text
    return short and not SENTENCE.search(text) and not ORDER.search(text)


def _untrusted(value: object) -> object:
    if not isinstance(value, str):
        return value
    return Untrusted(untrusted_text=visible(value)[:LONGEST_UNTRUSTED])


def label(value: object) -> object:
    """The text if it looks like the name of something, else set apart; no text as it is."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    return text if is_label(text) else _untrusted(text)


FreeText = Annotated[Untrusted, BeforeValidator(_untrusted)]
"""Text that is made of sentences: always set apart, cut to 500 characters."""
Label = Annotated[str | Untrusted, BeforeValidator(label)]
"""The name of something: plain when it looks like one, set apart when it does not."""
