"""What the rooms above tell the audit log, and what is asked of it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import orjson

from student_hub.access.audit import repository, review_queries
from student_hub.access.audit.drainer import Drainer
from student_hub.access.audit.entries import FIELDS, NOBODY, Deed, Detail, entries_of, line_of
from student_hub.access.audit.reviewing import Period, review_of
from student_hub.access.audit.schemas import (
    AccessPage,
    Action,
    AuditFilter,
    AuditPage,
    AuditReview,
    Outcome,
    StudentAccess,
)
from student_hub.access.audit.spool import Spool
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import HubError, InvalidInput, Kind, NotAllowed
from student_hub.platform.security.caller import Caller, Scope

MOST_LISTED = 200
EVERYTHING = AuditFilter()
NAMES = frozenset(FIELDS)


class Audit:
    """The way into the log: `note` with a write, `saw` before the answer to a read leaves."""

    def __init__(self, db: Database, spool: Spool, clock: Clock = utc_now) -> None:
        self._db = db
        self._spool = spool
        self._clock = clock
        self._drainer = Drainer(spool, self._arrive)

    async def start(self) -> None:
        """Begins to carry reads into the database, those that dead processes left first."""
        self._drainer.start()

    async def close(self) -> None:
        """Carries a last time; what the database does not take waits for the next process."""
        await self._drainer.close()

    async def drain(self) -> int:
        """Carries now; how many lines. Raises what the database raises."""
        return await self._drainer.round()

    async def note(
        self,
        tx: Transaction,
        caller: Caller,
        action: Action,
        student_ids: Sequence[UUID] = NOBODY,
        *,
        reason: str | None = None,
        outcome: Outcome = Outcome.OK,
        detail: Detail | None = None,
    ) -> None:
        """Writes down what this transaction does: both are stored, or neither is."""
        deed = Deed(action, student_ids, outcome, reason, detail)
        await repository.note(tx, entries_of(self._clock(), caller, deed))

    def saw(
        self,
        caller: Caller,
        action: Action,
        student_ids: Sequence[UUID] = NOBODY,
        *,
        reason: str | None = None,
        outcome: Outcome = Outcome.OK,
        detail: Detail | None = None,
    ) -> None:
        """Writes down a read, for good when this returns; AuditAway when it cannot be.

        To be called before the answer leaves; also for what was refused outside a transaction.
        """
        deed = Deed(action, student_ids, outcome, reason, detail)
        for entry in entries_of(self._clock(), caller, deed):
            self._spool.append(line_of(entry))

    @contextmanager
    def refusals(
        self,
        caller: Caller,
        action: Action,
        student_ids: Sequence[UUID] = NOBODY,
        *,
        detail: Detail | None = None,
    ) -> Iterator[None]:
        """Writes down that it was refused, when the block says not found or forbidden."""
        try:
            yield
        except HubError as error:
            if error.kind in {Kind.NOT_FOUND, Kind.FORBIDDEN}:
                self.saw(caller, action, student_ids, outcome=Outcome.REFUSED, detail=detail)
            raise

    async def page(
        self,
        caller: Caller,
        wanted: AuditFilter = EVERYTHING,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> AuditPage:
        """A page of at most 200 entries that pass every given filter, the newest first."""
        about = NOBODY if wanted.student_id is None else (wanted.student_id,)
        self._require_admin(caller, about)
        async with self._db.transaction() as tx:
            found = await repository.newest(tx, wanted, _position(cursor), _more_than(limit))
        shown = found[:limit]
        self.saw(caller, Action.AUDIT_READ, about, detail={"entries": len(shown)})
        return AuditPage(entries=shown, next=str(shown[-1].id) if len(found) > limit else None)

    async def accesses(
        self, tx: Transaction, student_id: UUID, *, cursor: str | None = None, limit: int = 50
    ) -> AccessPage:
        """Who has read or changed the student's data: for somebody who may see the student.

        Nothing of those who did it but who they are, and by which door they came.
        """
        wanted = AuditFilter(student_id=student_id, outcome=Outcome.OK)
        found = await repository.newest(tx, wanted, _position(cursor), _more_than(limit))
        shown = found[:limit]
        accesses = [
            StudentAccess.model_validate(entry.model_dump(include=set(StudentAccess.model_fields)))
            for entry in shown
        ]
        after = str(shown[-1].id) if len(found) > limit else None
        return AccessPage(student_id=student_id, accesses=accesses, next=after)

    async def review(self, caller: Caller, month: str) -> AuditReview:
        """What every subject did in that month of Asia/Seoul, such as 2026-11."""
        self._require_admin(caller)
        period = Period.of(month)
        async with self._db.transaction() as tx:
            figures = await review_queries.figures(tx, period)
        self.saw(caller, Action.AUDIT_READ, detail={"review": month})
        return review_of(period, figures)

    def _require_admin(self, caller: Caller, about: Sequence[UUID] = NOBODY) -> None:
        try:
            caller.require(Scope.ADMIN)
        except NotAllowed:
            self.saw(caller, Action.AUDIT_READ, about, outcome=Outcome.REFUSED)
            raise

    async def _arrive(self, lines: Sequence[bytes]) -> None:
        good, bad = await asyncio.to_thread(_told_apart, lines)
        bad += await repository.arrive_or_refuse(self._db, good) if good else []
        for line in bad:
            self._spool.set_aside(line)


def _told_apart(lines: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The lines that are entries, and those that are not: cut off, or damaged."""
    good: list[bytes] = []
    bad: list[bytes] = []
    for line in lines:
        (good if _is_entry(line) else bad).append(line)
    return good, bad


def _is_entry(line: bytes) -> bool:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and value.keys() == NAMES


def _more_than(limit: int) -> int:
    """One more than a page may have shows whether there is another."""
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
    return limit + 1


def _position(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error
