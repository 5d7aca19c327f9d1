"""What can be done with the learning history."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.policy import may_see
from student_hub.history import repository
from student_hub.history.checking import (
    AHEAD,
    CONFLICT,
    EARLIEST,
    VOIDED,
    Batch,
    Key,
    Ready,
    check,
)
from student_hub.history.errors import EventNotFound
from student_hub.history.messages import ForwardEvents, VoidAtNode
from student_hub.history.portions import AT_ONCE, portions
from student_hub.history.repository import KnownEvent, Position, StoredEvent
from student_hub.history.schemas import (
    Code,
    Event,
    EventKey,
    EventType,
    HistoryPage,
    Receipt,
    Voided,
    VoidedEvent,
)
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students

MOST_EVENTS = 10_000
MOST_LISTED = 1_000
MOST_DAYS = 365
MONTHS_AHEAD = 3
MOST_IDS = 2**63
NO_CURSOR = "is not one that a page gave"


Follow = Callable[[Transaction, Sequence[UUID]], Awaitable[None]]
"""Told, in the transaction itself, whose histories it changes."""


class History:
    """The learning history: use cases take the caller, operations an open transaction.

    With a `forward` ledger, every batch leaves jobs that hand its new events to node 4; `follow` is
    told whose histories change. Months
    that ended over `retention_days` ago are dropped, and nothing of them is taken in; 0: none.
    """

    def __init__(
        self,
        db: Database,
        students: Students,
        clock: Clock,
        audit: Audit,
        *,
        forward: Ledger | None = None,
        follow: Follow | None = None,
        retention_days: int = 0,
    ) -> None:
        self._db = db
        self._students = students
        self._clock = clock
        self._audit = audit
        self._forward = forward
        self._follow = follow
        self._retention = timedelta(days=retention_days)

    async def record(self, caller: Caller, entries: Sequence[object]) -> Receipt:
        """Stores the good ones of at most 10,000 events, each once, and says what ails the others.

        All in one transaction: events, their students' new generation, the jobs to forward them.
        """
        caller.require(Scope.WRITE)
        if len(entries) > MOST_EVENTS:
            raise InvalidInput.field("events", f"are more than {MOST_EVENTS}")
        return await transact(self._db, partial(self.store, caller=caller, entries=entries), caller)

    async def of_student(
        self,
        caller: Caller,
        student_id: UUID,
        *,
        days: int = 30,
        limit: int = 100,
        before: str | None = None,
        event_type: EventType | None = None,
    ) -> HistoryPage:
        """The student's events of the last `days` (1–365), newest first; or StudentNotFound."""
        caller.require(Scope.READ)
        _within("days", days, MOST_DAYS)
        _within("limit", limit, MOST_LISTED)
        position, since = _position(before), self._clock() - timedelta(days=days)
        with self._audit.refusals(caller, Action.HISTORY_READ, [student_id]):
            async with self._db.transaction(caller) as tx:
                if not may_see(caller, await self._students.require(tx, student_id)):
                    raise StudentNotFound
                kinds = (event_type, limit + 1)
                found = await repository.newest(tx, student_id, since, position, *kinds)
        more = len(found) > limit
        self._audit.saw(caller, Action.HISTORY_READ, [student_id])
        return HistoryPage(events=found[:limit], next=_cursor(found[limit - 1]) if more else None)

    async def void(self, caller: Caller, key: EventKey) -> Voided:
        """Takes the event out of the history for good, even when it is sent again; safe to repeat.

        EventNotFound when it was never stored, or is of a student whom the caller may not see.
        """
        caller.require(Scope.WRITE)
        return await transact(self._db, partial(self._void, caller=caller, key=key), caller)

    async def make_partitions(self, ahead: int = MONTHS_AHEAD) -> list[str]:
        """Makes the partitions of this month, of so many ahead, and of what lies in DEFAULT.

        The names of those that were made; safe to repeat and to run at once.
        """
        async with self._db.transaction() as tx:
            return await repository.make_partitions(tx, ahead)

    async def make_months(self, months: Iterable[date]) -> None:
        """Makes the partitions of those months that events may be of, one transaction each."""
        latest = (self._clock() + AHEAD).date()
        for month in sorted(month for month in months if EARLIEST.date() <= month <= latest):
            async with self._db.transaction() as tx:
                await repository.make_partition(tx, month)

    async def drop_old(self) -> list[str]:
        """Drops the partitions of months that are over and older than the history is kept.

        The names of those that went; with them their events' keys. Safe to repeat.
        """
        if not self._retention:
            return []
        async with self._db.transaction(SYSTEM) as tx:
            return await repository.drop_before(tx, self._earliest.date())

    async def store(self, tx: Transaction, caller: Caller, entries: Iterable[object]) -> Receipt:
        """What `record` does, in the caller's transaction."""
        return await self.store_checked(tx, caller, self.check(entries))

    def check(self, entries: Iterable[object]) -> Batch:
        """The events each checked by itself, ready for `store_checked`; touches nothing."""
        return check(entries, self._clock(), self._earliest)

    async def store_checked(self, tx: Transaction, caller: Caller, batch: Batch) -> Receipt:
        """Stores what passed the check, once, in the caller's transaction."""
        batch = batch.copy()
        # Locks are taken in one order everywhere: students, event keys, history, generations.
        batch.drop_strangers(await self._students.existing(tx, sorted(batch.students)))
        batch.drop_closed(await self._students.not_open(tx, batch.students))
        stored = await repository.store(tx, list(batch.ready.values())) if batch.ready else []
        await self._settle_known(tx, batch, stored)
        if stored:
            about = sorted({event.item.event.student_id for event in stored})
            await self._students.touch(tx, about)
            await self._audit.note(tx, caller, Action.EVENT_RECORD, about)
            await self._pass_on(tx, stored)
            await self._tell_followers(tx, about)
        refused = sorted(batch.refused, key=lambda refused: refused.index)
        return Receipt(stored=len(stored), repeated=batch.repeated, refused=refused)

    async def all_of(
        self, tx: Transaction, student_id: UUID, since: datetime = EARLIEST
    ) -> AsyncIterator[Sequence[Event]]:
        """The student's history since then, the newest first, in pages of up to 1,000 events."""
        position: Position | None = None
        while True:
            page = await repository.newest(tx, student_id, since, position, None, MOST_LISTED)
            yield page
            if len(page) < MOST_LISTED:
                return
            position = Position(page[-1].occurred_at, page[-1].id)

    async def voided_of(
        self, tx: Transaction, student_id: UUID
    ) -> AsyncIterator[Sequence[VoidedEvent]]:
        """The student's events that were voided, with what they said, in pages of up to 1,000."""
        last: Key | None = None
        while True:
            page = await repository.voided_of(tx, student_id, last, MOST_LISTED)
            yield page
            if len(page) < MOST_LISTED:
                return
            last = page[-1].source_node, page[-1].source_id

    async def hand_on_again(self, tx: Transaction, student_id: UUID) -> None:
        """Leaves jobs that hand all the student's events to node 4, as if they were new."""
        if self._forward is not None:
            async for page in self.all_of(tx, student_id):
                ids = sorted(event.id for event in page)
                for start in range(0, len(ids), AT_ONCE):
                    job = ForwardEvents(event_ids=ids[start : start + AT_ONCE])
                    await self._forward.put(tx, job)

    async def key_of(self, tx: Transaction, student_id: UUID, event_id: int) -> EventKey | None:
        """Which event of the student it is, as its sender knows it; None when nothing is kept."""
        key = await repository.key_of(tx, student_id, event_id)
        return None if key is None else EventKey(source_node=key[0], source_id=key[1])

    async def events_by_id(self, tx: Transaction, ids: Collection[int]) -> list[Event]:
        """Those of the events that are still in the history, oldest id first."""
        return await repository.by_id(tx, ids)

    async def _void(self, tx: Transaction, caller: Caller, key: EventKey) -> Voided:
        now, pair = self._clock(), (key.source_node, key.source_id)
        owner = await repository.student_of(tx, pair)
        if owner is None or not await self._students.existing(tx, [owner]):
            raise EventNotFound
        if not may_see(caller, await self._students.require(tx, owner)):
            raise EventNotFound
        voided = await repository.void(tx, pair, caller.subject, now)
        # Another's: its student was deleted before we locked, and it was sent again of another one.
        if voided is None or voided.student_id != owner:
            raise EventNotFound
        if voided.voided_at == now:
            await self._students.touch(tx, [owner])
            await self._tell_followers(tx, [owner])
            await self._audit.note(tx, caller, Action.EVENT_VOID, [owner])
            await self._tell_node(tx, voided)
        return voided

    async def _settle_known(
        self, tx: Transaction, batch: Batch, stored: Sequence[StoredEvent]
    ) -> None:
        rest = batch.ready.keys() - {event.item.key for event in stored}
        if not rest:
            return
        known = await repository.known(tx, list(rest))
        for key in rest:
            _settle(batch, batch.ready[key], known.get(key))

    async def _tell_node(self, tx: Transaction, voided: Voided) -> None:
        if self._forward is not None:
            event_id = await repository.event_id_of(tx, (voided.source_node, voided.source_id))
            if event_id is not None:
                job = VoidAtNode(student_id=voided.student_id, event_id=event_id)
                await self._forward.put(tx, job)

    @property
    def _earliest(self) -> datetime:
        """The first moment of the months that are kept."""
        if not self._retention:
            return EARLIEST
        day = self._clock() - self._retention
        return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    async def _tell_followers(self, tx: Transaction, student_ids: Sequence[UUID]) -> None:
        if self._follow is not None:
            await self._follow(tx, student_ids)

    async def _pass_on(self, tx: Transaction, stored: Sequence[StoredEvent]) -> None:
        if self._forward is not None:
            for ids in portions(stored):
                await self._forward.put(tx, ForwardEvents(event_ids=ids))


def _settle(batch: Batch, item: Ready, known: KnownEvent | None) -> None:
    # None: the event's former student was deleted this very moment; sent again, it will be stored.
    if known is not None and known.voided:
        batch.refuse(item.key, VOIDED, Code.VOIDED)
    elif known is not None and known.fingerprint == item.fingerprint:
        batch.known += 1
    else:
        batch.refuse(item.key, CONFLICT, Code.CONFLICT)


def _within(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InvalidInput.field(field, f"is not between 1 and {most}")


def _cursor(event: Event) -> str:
    return f"{event.occurred_at.isoformat()}_{event.id}".replace("+00:00", "Z")


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    at, _, number = cursor.partition("_")
    try:
        instant = datetime.fromisoformat(at)
        position = Position(instant.astimezone(UTC), int(number))
    except (ValueError, OverflowError) as error:
        raise InvalidInput.field("before", NO_CURSOR) from error
    if instant.tzinfo is None or not 0 <= position.id < MOST_IDS:
        raise InvalidInput.field("before", NO_CURSOR)
    return position
