"""The words of a message, made when it is sent or read, and kept nowhere."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, Template

from student_hub.notifications.schemas import ChannelName, Kept, Language, Recipient
from student_hub.platform.text import visible
from student_hub.students.schemas import Student

FOLDER = Path(__file__).parent / "templates"
LONGEST_NAME = 100
WORDS: dict[Language, dict[str, str]] = {
    Language.KOREAN: {
        "open": "학생 허브에서 보기",
        "unsubscribe": "보고서 메일 그만 받기",
        "unsubscribed": "보고서 메일을 더 보내지 않습니다.",
    },
    Language.ENGLISH: {
        "open": "See it in Student Hub",
        "unsubscribe": "No more mails about reports",
        "unsubscribed": "You will get no more mails about reports.",
    },
}
PROPOSALS: dict[Language, dict[str, str]] = {
    Language.KOREAN: {"extend": "기간 연장", "complete": "완료", "escalate": "선생님 확인"},
    Language.ENGLISH: {"extend": "extend", "complete": "complete", "escalate": "ask the teacher"},
}


def _share(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else ""


# What is not HTML must not be escaped: the page is made of the finished text, and escapes that.
PLAIN = Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
PLAIN.filters["share"] = _share
HTML = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Words:
    """A title of one line, a text, and the same as a page."""

    title: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads it and where: that bounds what it says."""

    reader: Recipient
    channel: ChannelName
    language: Language
    link: str | None = None
    unsubscribe: str | None = None
    count: int = 1
    """How many notices it stands for."""

    @property
    def figures(self) -> bool:
        """Whether scores are told: to teachers in the hub; mails are read on shared devices."""
        return self.reader is Recipient.TEACHER and self.channel is ChannelName.IN_APP


def words_of(notice: Kept, student: Student, reading: Reading) -> Words:
    """The message about that student for that reader."""
    title, text = _templates(reading.language)[notice.template.value]
    facts = {name: _plain(value) for name, value in notice.facts.items()}
    given: dict[str, Any] = {
        "facts": facts,
        "who": _who(student, reading),
        "concepts": ", ".join(map(str, _listed(facts.get("concepts")))),
        "figures": reading.figures,
        "proposals": PROPOSALS[reading.language],
        "count": reading.count,
    }
    said = text.render(given).strip()
    words = WORDS[reading.language]
    page = HTML.get_template("frame.html").render(
        language=reading.language.value,
        title=title,
        paragraphs=said.split("\n\n"),
        link=reading.link,
        unsubscribe=reading.unsubscribe,
        words=words,
    )
    ends = [f"{words['open']}: {reading.link}"] if reading.link else []
    ends += [f"{words['unsubscribe']}: {reading.unsubscribe}"] if reading.unsubscribe else []
    return Words(title, "\n\n".join([said, *ends]), page)


def unsubscribe_page(language: Language, *, done: bool) -> str:
    """The page behind the link, before and after."""
    page = HTML.get_template("unsubscribe.html")
    return page.render(language=language.value, words=WORDS[language], done=done)


@cache
def _templates(language: Language) -> dict[str, tuple[str, Template]]:
    given = yaml.safe_load((FOLDER / f"{language.value}.yaml").read_text(encoding="utf-8"))
    return {
        name: (entry["title"], PLAIN.from_string(entry["text"])) for name, entry in given.items()
    }


def _who(student: Student, reading: Reading) -> str:
    """The student by name; for a teacher with the class, as they have several."""
    name = _one_line(student.name)[:LONGEST_NAME]
    if reading.reader is Recipient.TEACHER:
        name = f"{name} ({student.grade}-{_one_line(student.class_name)})"
    return f"{name} 학생:" if reading.language is Language.KOREAN else f"for {name}"


def _listed(value: object) -> list[object]:
    return [item for item in value if item] if isinstance(value, list) else []


def _plain(value: object) -> object:
    if isinstance(value, str):
        return _one_line(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())
