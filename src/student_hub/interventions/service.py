"""What can be done with interventions: use cases take the caller, operations a transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from student_hub.access.audit.schemas import Action, Outcome
from student_hub.access.audit.service import Audit
from student_hub.interventions import repository
from student_hub.interventions.changing import name_of
from student_hub.interventions.creating import Creating
from student_hub.interventions.lifecycle import Status
from student_hub.interventions.schemas import (
    Intervention,
    InterventionFilter,
    InterventionHistory,
    InterventionPage,
    Measured,
    NewIntervention,
)
from student_hub.interventions.seeing import may_be_seen, seen
from student_hub.interventions.shown import shown, with_history
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.together import Together
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students

MOST_LISTED = 200
ALL = InterventionFilter()
NO_ACTIVE = b"[]"


class Interventions:
    """Reads interventions, and makes them; `Steering` leads them through their life."""

    def __init__(
        self,
        db: Database,
        students: Students,
        audit: Audit,
        creating: Creating,
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._creating = creating
        self._active = Together(repository.ACTIVE_OF_STUDENTS)

    async def create(self, caller: Caller, wanted: NewIntervention) -> Intervention:
        """See `Creating.create`."""
        return await self._creating.create(caller, wanted)

    async def read(self, caller: Caller, intervention_id: UUID) -> InterventionHistory:
        """The intervention with its decisions and checks; InterventionNotFound."""
        with self._audit.refusals(caller, Action.INTERVENTION_READ):
            caller.require(Scope.READ)
            async with self._db.transaction(caller) as tx:
                row = await seen(tx, self._students, caller, intervention_id)
                notes = await repository.notes_of(tx, [row.id])
        self._audit.saw(caller, Action.INTERVENTION_READ, [row.student_id])
        return with_history(row, notes)

    async def page(
        self,
        caller: Caller,
        wanted: InterventionFilter = ALL,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> InterventionPage:
        """A page of at most 200 interventions that pass every given filter, the newest first."""
        caller.require(Scope.READ)
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
        before = _position(cursor)
        async with self._db.transaction(caller) as tx:
            found = await repository.page(tx, wanted, before, limit + 1)
            visible = [
                row for row in found[:limit] if await may_be_seen(tx, self._students, caller, row)
            ]
            named = await self._named(tx, caller, wanted.student_id)
        about = sorted({*named, *(row.student_id for row in visible)})
        self._audit.saw(caller, Action.INTERVENTION_LIST, about)
        after_this = str(found[limit - 1].id) if len(found) > limit else None
        return InterventionPage(interventions=[shown(row) for row in visible], next=after_this)

    async def active_json(self, student_id: UUID) -> bytes:
        """The student's running and paused interventions as the JSON of a profile's section."""
        found = await self._active.row(self._db, SYSTEM, student_id)
        if found is None:
            return NO_ACTIVE
        return orjson.dumps([_brief(row) for row in orjson.loads(found.active)])

    async def of_student(self, tx: Transaction, student_id: UUID) -> list[InterventionHistory]:
        """Everything that is kept of the student's interventions, the newest first."""
        rows = await repository.of_student(tx, student_id)
        notes = await repository.notes_of(tx, [row.id for row in rows])
        return [
            with_history(row, [n for n in notes if n.intervention_id == row.id]) for row in rows
        ]

    async def abilities_of(self, tx: Transaction, student_id: UUID) -> list[Measured]:
        """What was written down of the student's ability, for their own plans or for others'."""
        rows = await repository.abilities_of(tx, student_id)
        return [Measured.model_validate(row, from_attributes=True) for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many there are in each state that is not over."""
        async with self._db.transaction(SYSTEM) as tx:
            return await repository.count_by_status(tx)

    async def running(self, tx: Transaction, ids: Sequence[UUID]) -> list[Intervention]:
        """Those students' interventions that are proposed, active or paused, the newest first."""
        states = (Status.PROPOSED, Status.ACTIVE, Status.PAUSED)
        return [shown(row) for row in await repository.of_students(tx, ids, *states)]

    async def _named(
        self, tx: Transaction, caller: Caller, student_id: UUID | None
    ) -> tuple[UUID, ...]:
        """The student who was asked for, if they are seen; that they were refused is noted."""
        if student_id is None:
            return ()
        try:
            await self._students.see(tx, caller, student_id)
        except StudentNotFound:
            action = Action.INTERVENTION_LIST
            self._audit.saw(caller, action, [student_id], outcome=Outcome.REFUSED)
            return ()
        return (student_id,)


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    """As a profile shows it."""
    return {
        "intervention_id": name_of(UUID(row["id"])),
        **{name: row[name] for name in ("type", "status", "target_level", "progress", "ends_at")},
        "next_check": max((task["scheduled_at"] for task in row["tasks"]), default=None),
    }


def _position(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error
