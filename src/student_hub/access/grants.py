"""Grants: who may see which students, and what a process remembers of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from student_hub.access import grants_repository as repository
from student_hub.access.audit.entries import NOBODY
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.errors import GrantExists, GrantNotFound
from student_hub.access.models import GrantRow
from student_hub.access.policy import label_of
from student_hub.access.schemas import (
    LONGEST_LIFE_DAYS,
    Grant,
    GrantFilter,
    GrantKind,
    GrantPage,
    NewGrant,
)
from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.security.caller import Caller, Scope

CHANGED = "grant_changed"
MOST_LISTED = 200
LONGEST = timedelta(days=LONGEST_LIFE_DAYS)
ALL = GrantFilter()
NEEDED = {
    GrantKind.SCHOOL: ("school_id",),
    GrantKind.GRADE: ("school_id", "grade"),
    GrantKind.CLASS: ("school_id", "grade", "class_name"),
    GrantKind.STUDENT: ("student_id",),
}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reach:
    """The labels of all whom a subject may see, and when the first of its grants expires."""

    labels: frozenset[str]
    until: datetime | None

    @classmethod
    def of(cls, grants: Iterable[GrantRow]) -> "Reach":
        rows = list(grants)
        ends = [row.expires_at for row in rows if row.expires_at is not None]
        return cls(frozenset(map(label_of, rows)), min(ends, default=None))


class Grants:
    """Writes grants, and knows the reach of every subject who has lately asked for something.

    A change is heard everywhere within a second; an expiry needs no news.
    """

    def __init__(
        self, database: Database, audit: Audit, clock: Clock, listener: Listener | None
    ) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._reaches = Remembered[Reach](listener, CHANGED)

    def recall(self, subject: str) -> frozenset[str] | None:
        """What `reach` says, when that is known here; nearly every request ends here."""
        known = self._reaches.get(subject)
        if known is None:
            return None
        if known.until is not None and known.until <= self._clock():
            self._reaches.forget(subject)
            return None
        return known.labels

    async def reach(self, subject: str) -> frozenset[str]:
        """The labels of all whom the subject may see at this moment."""
        labels = self.recall(subject)
        return (await self._read(subject)).labels if labels is None else labels

    async def create(self, caller: Caller, wanted: NewGrant) -> Grant:
        """The grant, which counts at once here.

        InvalidInput names each field that its kind needs or has no place for, a student who does
        not exist, an expiry that is past or far off; GrantExists when one says the same already.
        """
        self._require_admin(caller, Action.GRANT_GIVE)
        now = self._clock()
        _check(wanted, now)
        row = GrantRow(
            id=uuid4(),
            granted_by=caller.subject,
            created_at=now,
            **wanted.model_dump(mode="python"),
        )
        async with self._database.transaction(caller) as tx:
            if await repository.twin_of(tx, row, now):
                raise GrantExists
            if not await repository.add(tx, row):
                raise InvalidInput.field("student_id", "there is no such student")
            await self._note(tx, caller, Action.GRANT_GIVE, row)
        self._reaches.forget(row.subject)
        log.info("grant_made", grant_id=str(row.id), kind=row.kind, caller=caller.subject)
        return _shown(row)

    async def page(
        self,
        caller: Caller,
        wanted: GrantFilter = ALL,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> GrantPage:
        """A page of at most 200 grants that pass every given filter, in the order of their ids."""
        self._require_admin(caller, Action.GRANT_LIST)
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
        after, now = _position(cursor), self._clock()
        async with self._database.transaction(caller) as tx:
            found = await repository.page(tx, wanted, now, after, limit + 1)
        self._audit.saw(caller, Action.GRANT_LIST, detail={"grants": len(found[:limit])})
        more = len(found) > limit
        shown = [_shown(row) for row in found[:limit]]
        return GrantPage(grants=shown, next=str(shown[-1].id) if more else None)

    async def revoke(self, caller: Caller, grant_id: UUID) -> Grant:
        """The grant, which counts no more, here at once; GrantNotFound when there is none."""
        self._require_admin(caller, Action.GRANT_REVOKE)
        async with self._database.transaction(caller) as tx:
            row = await repository.revoke(tx, grant_id, self._clock())
            if row is None:
                raise GrantNotFound
            await self._note(tx, caller, Action.GRANT_REVOKE, row)
        self._reaches.forget(row.subject)
        log.info("grant_revoked", grant_id=str(grant_id), caller=caller.subject)
        return _shown(row)

    async def granted(self, tx: Transaction, subjects: Sequence[str]) -> set[str]:
        """Those of the subjects who have a grant that counts; the transaction must see all."""
        return await repository.holders(tx, subjects, self._clock())

    def _require_admin(self, caller: Caller, action: Action) -> None:
        with self._audit.refusals(caller, action):
            caller.require(Scope.ADMIN)

    async def _note(self, tx: Transaction, caller: Caller, action: Action, row: GrantRow) -> None:
        students = NOBODY if row.student_id is None else (row.student_id,)
        detail = {"grant": str(row.id), "subject": row.subject, "to": label_of(row)}
        await self._audit.note(tx, caller, action, students, detail=detail)

    async def _read(self, subject: str) -> Reach:
        # Whoever asks sees their own grants, and nothing else yet.
        asker = Caller(subject, frozenset(), reach=frozenset())

        async def load() -> Reach:
            async with self._database.transaction(asker) as tx:
                return Reach.of(await repository.of_subject(tx, subject, self._clock()))

        return await self._reaches.read(subject, load)


def _check(wanted: NewGrant, now: datetime) -> None:
    needed = NEEDED[wanted.kind]
    faults = {
        name: "is needed" if name in needed else f"has no place in a grant of kind {wanted.kind}"
        for name in repository.PLACE
        if (name in needed) == (getattr(wanted, name) is None)
    }
    if wanted.expires_at is not None and not now < wanted.expires_at <= now + LONGEST:
        faults["expires_at"] = f"is not within the next {LONGEST_LIFE_DAYS} days"
    if faults:
        errors: list[Fact] = [{"field": name, "problem": text} for name, text in faults.items()]
        problem = "; ".join(f"{name}: {text}" for name, text in faults.items())
        raise InvalidInput(problem=problem, errors=errors)


def _position(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error


def _shown(row: GrantRow) -> Grant:
    return Grant.model_validate(row, from_attributes=True)
