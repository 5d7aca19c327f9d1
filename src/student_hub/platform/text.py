"""Text as people send it: brought to NFC, and refused where it hides something."""

import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Field
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
    if text.isascii() and text.isprintable():
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
