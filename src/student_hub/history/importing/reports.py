"""What an import says of itself."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

MOST_REFUSALS = 100


class Refusal(BaseModel):
    """A line (counted from 1) that was refused: its column or field, and why."""

    model_config = ConfigDict(frozen=True)

    line: int
    field: str
    problem: str


class ImportReport(BaseModel):
    """The import of a file so far, with what was done before it was broken off and resumed.

    `students` were created or updated; `stored` events are new, `repeated` were known before;
    `refusals` are the first 100 of the `refused`. `resumed_at_line` is None for a fresh start.
    """

    model_config = ConfigDict(frozen=True)

    students: int = 0
    stored: int = 0
    repeated: int = 0
    refused: int = 0
    refusals: list[Refusal] = []
    resumed_at_line: int | None = None

    def plus(
        self, *, students: int, stored: int, repeated: int, refused: int, refusals: list[Refusal]
    ) -> "ImportReport":
        """The report with one more batch in it; `refusals` may be the first of the refused."""
        kept = [*self.refusals, *sorted(refusals, key=lambda refusal: refusal.line)]
        return ImportReport(
            students=self.students + students,
            stored=self.stored + stored,
            repeated=self.repeated + repeated,
            refused=self.refused + refused,
            refusals=kept[:MOST_REFUSALS],
            resumed_at_line=self.resumed_at_line,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come: the line, and bytes of the file as it lies on the disk."""

    line: int
    bytes_done: int
    bytes_total: int
    report: ImportReport


OnProgress = Callable[[Progress], None]
