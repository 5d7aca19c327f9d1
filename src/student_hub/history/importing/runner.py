"""Runs an import: batches of lines, each stored together with how far the file has come."""

import asyncio
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from student_hub.history.checking import Batch
from student_hub.history.importing import checkpoints
from student_hub.history.importing.ahead import ahead
from student_hub.history.importing.checkpoints import Checkpoint
from student_hub.history.importing.entries import Entry, Format
from student_hub.history.importing.lines import Lines
from student_hub.history.importing.reports import ImportReport, OnProgress, Progress, Refusal
from student_hub.history.schemas import Receipt
from student_hub.history.service import History
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.schemas import Row, StudentReceipt
from student_hub.students.service import Students

BATCH = 2_000
GARBAGE = (100_000, 50, 100)
"""Thresholds of the garbage collector meanwhile: with the usual ones it is 40 % of the CPU time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file, read and checked: its entries, the lines of its events, the events."""

    entries: Sequence[Entry]
    told: Sequence[int]
    events: Batch
    position: int

    @property
    def students(self) -> list[Row]:
        return [
            Row(entry.line, entry.student) for entry in self.entries if entry.student is not None
        ]

    @property
    def faults(self) -> int:
        """How many lines could not even be read."""
        return sum(entry.fault is not None for entry in self.entries)


class Importer:
    """Brings files of students and events into the hub."""

    def __init__(self, db: Database, students: Students, history: History, clock: Clock) -> None:
        self._db = db
        self._students = students
        self._history = history
        self._clock = clock

    async def run(self, source: Path, kind: Format, on_progress: OnProgress) -> ImportReport:
        """The report when the file is at its end; progress after each batch.

        An import that was broken off goes on where it was; one that was finished runs again, and
        finds everything repeated. ImportUnreadable for a file that is absent, damaged or of
        another format: what came before the damage is stored.
        """
        mark = await asyncio.to_thread(checkpoints.fingerprint, source, kind.identity)
        async with self._db.transaction() as tx:
            checkpoint = await checkpoints.resume(tx, mark)
        with _seldom_collected(), Lines(source) as lines:
            parts = self._parts(lines, kind, checkpoint.line)
            months: set[date] = set()
            async with aclosing(ahead(parts)) as coming:
                async for part in coming:
                    await self._make_months(part.entries, months)
                    checkpoint = await self._store(mark, part, kind, checkpoint)
                    on_progress(
                        Progress(checkpoint.line, part.position, lines.size, checkpoint.report)
                    )
        await self._finish(mark, checkpoint)
        return checkpoint.report

    def _parts(self, lines: Lines, kind: Format, after: int) -> Iterator[Part]:
        entries = kind.entries(lines, after)
        while some := list(islice(entries, BATCH)):
            told = [entry for entry in some if entry.event is not None]
            events = self._history.check(entry.event for entry in told)
            yield Part(some, [entry.line for entry in told], events, lines.position)

    async def _make_months(self, batch: Iterable[Entry], made: set[date]) -> None:
        wanted = {entry.month for entry in batch if entry.month is not None} - made
        await self._history.make_months(wanted)
        made |= wanted

    async def _store(self, mark: bytes, part: Part, kind: Format, before: Checkpoint) -> Checkpoint:
        async def work(tx: Transaction) -> Checkpoint:
            students = await self._students.put_rows(tx, SYSTEM, part.students)
            events = await self._history.store_checked(tx, SYSTEM, part.events)
            report = before.report.plus(
                students=students.created + students.updated,
                stored=events.stored,
                repeated=events.repeated,
                refused=part.faults + students.refused + len(events.refused),
                refusals=list(_refusals(part, kind, students, events)),
            )
            after = Checkpoint(part.entries[-1].line, report)
            await checkpoints.keep(tx, mark, after, self._clock(), finished=False)
            return after

        return await transact(self._db, work, SYSTEM)

    async def _finish(self, mark: bytes, checkpoint: Checkpoint) -> None:
        async with self._db.transaction() as tx:
            await checkpoints.keep(tx, mark, checkpoint, self._clock(), finished=True)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _refusals(
    part: Part, kind: Format, students: StudentReceipt, events: Receipt
) -> Iterator[Refusal]:
    for entry in part.entries:
        if entry.fault is not None:
            yield Refusal(line=entry.line, field=entry.fault.field, problem=entry.fault.problem)
    for row in students.refusals:
        yield Refusal(line=row.row, field=_column(kind, row.field), problem=row.problem)
    for event in events.refused:
        field = _column(kind, event.field)
        yield Refusal(line=part.told[event.index], field=field, problem=event.problem)


def _column(kind: Format, field: str) -> str:
    return kind.columns.get(field, field)
