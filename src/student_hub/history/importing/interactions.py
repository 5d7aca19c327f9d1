"""Answer logs: tab-separated user_id, item_id, timestamp, correct, skill_id, one answer a line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from student_hub.history.errors import ImportUnreadable
from student_hub.history.importing.entries import Entry
from student_hub.history.importing.lines import Line
from student_hub.history.schemas import Instant
from student_hub.students.schemas import ClassName, Fault, Grade, SchoolId

COLUMNS = ("user_id", "item_id", "timestamp", "correct", "skill_id")
STUDENTS = UUID("b3f2a7c0-6e1d-5c8e-9a44-2f7d1c0b5e63")
LAB = 4
SEOUL_SPRING = datetime(2024, 3, 3, 15, tzinfo=UTC)
RESULTS = {"0": "incorrect", "1": "correct"}


class Options(BaseModel):
    """Where the log's users go to school, and when its timestamp 0 was (2024-03-04 in Seoul)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    school_id: SchoolId
    grade: Grade
    class_name: ClassName
    base: Instant = SEOUL_SPRING


def student_id_of(school_id: str, user_id: str) -> UUID:
    """The id of a log's user as a student of that school: the same in every import."""
    return uuid5(STUDENTS, f"{school_id}/{user_id}")


@dataclass(frozen=True)
class Interactions:
    """Each user becomes a student whose number is the user_id, each line an answer of node 4's."""

    options: Options
    columns: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "student_number": "user_id",
            "name": "user_id",
            "student_id": "user_id",
            "source_id": "user_id, item_id, timestamp",
            "occurred_at": "timestamp",
        }
    )

    @property
    def identity(self) -> str:
        return f"interactions {self.options.model_dump_json()}"

    def entries(self, lines: Iterable[Line], after: int) -> Iterator[Entry]:
        """What the lines after that number say; ImportUnreadable when the header is missing."""
        rows = iter(lines)
        places = _header(next(rows, Line(1, "")))
        students: dict[str, UUID] = {}
        for line in rows:
            if line.number > after and (line.text.strip() or line.fault):
                yield self._entry(line, places, students)

    def _entry(self, line: Line, places: list[int], students: dict[str, UUID]) -> Entry:
        cells = line.text.split("\t")
        if line.fault or len(cells) <= max(places):
            short = Fault("line", f"has {len(cells)} columns, too few for its header")
            return Entry(line.number, fault=line.fault or short)
        values = [cells[place].strip() for place in places]
        if fault := _fault(values):
            return Entry(line.number, fault=fault)
        new = values[0] not in students
        if new:
            students[values[0]] = student_id_of(self.options.school_id, values[0])
        at = self.options.base + timedelta(seconds=int(values[2]))
        event = _event(students[values[0]], at, values)
        student = self._student(values[0], students[values[0]]) if new else None
        return Entry(line.number, student, event, at.date().replace(day=1))

    def _student(self, user_id: str, student_id: UUID) -> dict[str, object]:
        return {
            "id": student_id,
            "name": f"학생 {user_id}",
            "school_id": self.options.school_id,
            "grade": self.options.grade,
            "class_name": self.options.class_name,
            "student_number": user_id,
        }


def _event(student_id: UUID, at: datetime, values: list[str]) -> dict[str, object]:
    user_id, item_id, timestamp, correct, skill_id = values
    return {
        "student_id": student_id,
        "event_type": "study",
        "source_node": LAB,
        "source_id": f"{user_id}-{item_id}-{timestamp}",
        "occurred_at": at,
        "content": {
            "action": "solved_problem",
            "problem_id": f"item-{item_id}",
            "concepts": [f"skill-{skill_id}"],
            "result": RESULTS[correct],
        },
    }


def _fault(values: list[str]) -> Fault | None:
    user_id, item_id, timestamp, correct, skill_id = values
    for column, value in (("user_id", user_id), ("item_id", item_id), ("skill_id", skill_id)):
        if not value or not value.isprintable():
            return Fault(column, "is empty or not printable")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("9999999999")):
        return Fault("timestamp", "is not a number of seconds from 0 to 9999999999")
    if correct not in RESULTS:
        return Fault("correct", "is neither 0 nor 1")
    return None


def _header(line: Line) -> list[int]:
    names = [name.strip() for name in line.text.split("\t")]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        problem = (
            f"line 1 must name the columns {', '.join(COLUMNS)}, separated by tabs; "
            f"it lacks {', '.join(missing)}"
        )
        raise ImportUnreadable(problem=problem, line=1)
    return [names.index(column) for column in COLUMNS]
