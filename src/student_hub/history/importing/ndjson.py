"""JSON lines: {"kind": "student", "student": {…}} or {"kind": "event", "event": {…}}."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import ClassVar

from student_hub.history.importing.entries import Entry
from student_hub.history.importing.lines import Line
from student_hub.platform.strict_json import NotJson, read
from student_hub.students.schemas import Fault

MONTH = slice(0, len("2026-01"))
UNKNOWN = Fault("kind", 'says neither "student" nor "event" with an object of that name alone')


class Ndjson:
    """A student's line must come before the lines of their events."""

    identity = "ndjson"
    columns: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def entries(self, lines: Iterable[Line], after: int) -> Iterator[Entry]:
        """What the lines after that number say."""
        for line in lines:
            if line.number > after and (line.text.strip() or line.fault):
                yield _entry(line)


def _entry(line: Line) -> Entry:
    if line.fault:
        return Entry(line.number, fault=line.fault)
    try:
        value = read(line.text.encode())
    except NotJson as error:
        return Entry(line.number, fault=Fault("line", f"is not JSON: {error}"))
    match value:
        case {"kind": "student", "student": dict() as student, **rest} if not rest:
            return Entry(line.number, student=student)
        case {"kind": "event", "event": dict() as event, **rest} if not rest:
            return Entry(line.number, event=event, month=_month(event))
        case _:
            return Entry(line.number, fault=UNKNOWN)


def _month(event: object) -> date | None:
    """The month that a partition may be wanted for; the event itself is checked later."""
    at = event.get("occurred_at") if isinstance(event, dict) else None
    try:
        return date.fromisoformat(f"{at[MONTH]}-01") if isinstance(at, str) else None
    except ValueError:
        return None
