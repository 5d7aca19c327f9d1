"""What a line of a file means, whatever the file's format."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Protocol

from student_hub.history.importing.lines import Line
from student_hub.students.schemas import Fault


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: the student and the event that it tells of, as they were sent, or what is wrong."""

    line: int
    student: object | None = None
    event: object | None = None
    month: date | None = None
    fault: Fault | None = None


class Format(Protocol):
    """A format of files. `identity` tells two ways to read one file apart."""

    columns: ClassVar[Mapping[str, str]]
    """The file's own words for the fields of students and events."""

    @property
    def identity(self) -> str: ...

    def entries(self, lines: Iterable[Line], after: int) -> Iterator[Entry]:
        """What the lines after that number say; ImportUnreadable when it is another format."""
