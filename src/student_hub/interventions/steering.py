"""The life of interventions: decisions, pauses, steps and ends; one deed at a time for each."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.interventions import repository
from student_hub.interventions.changing import Changes
from student_hub.interventions.errors import InterventionNotFound, Outdated, StepNotFound
from student_hub.interventions.lifecycle import Status
from student_hub.interventions.models import InterventionRow
from student_hub.interventions.moves import Deed, after
from student_hub.interventions.schemas import Decision, Edit, Intervention
from student_hub.interventions.seeing import seen
from student_hub.interventions.shown import path_of, shown
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.ids import new_id
from student_hub.platform.security.caller import Caller, Scope
from student_hub.students.service import Students

Move = Callable[[Transaction, InterventionRow], Awaitable[InterventionRow]]


class Steering:
    """Every use case raises InterventionNotFound, and WrongStatus when it is not open."""

    def __init__(
        self, db: Database, students: Students, audit: Audit, clock: Clock, changes: Changes
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._clock = clock
        self._changes = changes

    async def approve(self, caller: Caller, intervention_id: UUID) -> Intervention:
        """The proposal, begun now; WrongStatus unless it is one."""

        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            after(Status(row.status), Deed.APPROVE)
            await self._decide(tx, caller, row, "approved")
            return await self._changes.store(tx, row, await self._changes.begun(tx, _basis(row)))

        return await self._do(caller, intervention_id, Action.INTERVENTION_APPROVE, move)

    async def edit(self, caller: Caller, intervention_id: UUID, wish: Edit) -> Intervention:
        """The proposal as it is wanted; Outdated when it is not at the version that was seen."""

        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            after(Status(row.status), Deed.EDIT)
            if wish.version != row.version:
                raise Outdated(version=row.version)
            await self._decide(tx, caller, row, "edited")
            return await self._changes.store(tx, row, _edited(row, wish))

        return await self._do(caller, intervention_id, Action.INTERVENTION_EDIT, move)

    async def reject(self, caller: Caller, intervention_id: UUID, reason: str) -> Intervention:
        """The proposal, which will not be carried out, with the reason kept."""

        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            changed = await self._changes.lead(tx, row, Deed.REJECT)
            await self._decide(tx, caller, row, "rejected", reason)
            return changed

        return await self._do(
            caller, intervention_id, Action.INTERVENTION_REJECT, move, reason=reason
        )

    async def pause(self, caller: Caller, intervention_id: UUID) -> Intervention:
        """The intervention, standing still: no step counts and no check runs meanwhile."""
        return await self._lead(caller, intervention_id, Action.INTERVENTION_PAUSE, Deed.PAUSE)

    async def resume(self, caller: Caller, intervention_id: UUID) -> Intervention:
        """The intervention, going on towards the same end, with a check ahead of it again."""

        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            await self._changes.settle_check(tx, row.id)
            return await self._changes.lead(tx, row, Deed.RESUME)

        return await self._do(caller, intervention_id, Action.INTERVENTION_RESUME, move)

    async def cancel(self, caller: Caller, intervention_id: UUID) -> Intervention:
        """The intervention, ended before its goal; its check does not run any more."""
        return await self._lead(caller, intervention_id, Action.INTERVENTION_CANCEL, Deed.CANCEL)

    async def complete(self, caller: Caller, intervention_id: UUID) -> Intervention:
        """The intervention, ended as done, whatever steps are left."""
        return await self._lead(
            caller, intervention_id, Action.INTERVENTION_COMPLETE, Deed.COMPLETE
        )

    async def mark_step(self, caller: Caller, intervention_id: UUID, step: int) -> Intervention:
        """The intervention with that step done; with the last one it is completed. Repeatable."""

        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            after(Status(row.status), Deed.MARK)
            if not 1 <= step <= row.progress["total"]:
                raise StepNotFound(step=step, total=row.progress["total"])
            if str(step) in row.marks:
                return row
            mark = {"at": self._clock().isoformat(), "by": caller.subject}
            return await self.with_marks(tx, row, {**row.marks, str(step): mark})

        return await self._do(caller, intervention_id, Action.INTERVENTION_STEP, move)

    async def with_marks(
        self, tx: Transaction, row: InterventionRow, marks: dict[str, Any]
    ) -> InterventionRow:
        """The held row with these marks; completed when every step has one."""
        progress = {"completed": len(marks), "total": row.progress["total"]}
        changed = await self._changes.store(tx, row, {"marks": marks, "progress": progress})
        if progress["completed"] < progress["total"]:
            return changed
        return await self._changes.lead(tx, changed, Deed.COMPLETE)

    async def hold(self, tx: Transaction, intervention_id: UUID) -> InterventionRow | None:
        """The row, and its student, kept until the transaction ends; None when there is none."""
        row = await repository.one(tx, intervention_id)
        if row is None or not await self._students.existing(tx, [row.student_id]):
            return None
        return await repository.one(tx, intervention_id, held=True)

    async def _lead(
        self, caller: Caller, intervention_id: UUID, action: Action, deed: Deed
    ) -> Intervention:
        async def move(tx: Transaction, row: InterventionRow) -> InterventionRow:
            return await self._changes.lead(tx, row, deed)

        return await self._do(caller, intervention_id, action, move)

    async def _do(
        self,
        caller: Caller,
        intervention_id: UUID,
        action: Action,
        move: Move,
        *,
        reason: str | None = None,
    ) -> Intervention:
        async def work(tx: Transaction) -> Intervention:
            await seen(tx, self._students, caller, intervention_id)
            row = await self.hold(tx, intervention_id)
            if row is None:
                raise InterventionNotFound
            changed = await move(tx, row)
            about, detail = [row.student_id], {"intervention": str(row.id)}
            await self._audit.note(tx, caller, action, about, reason=reason, detail=detail)
            return shown(changed)

        with self._audit.refusals(caller, action):
            caller.require(Scope.READ)
            caller.require(Scope.PLAN)
            return await transact(self._db, work, caller)

    async def _decide(
        self,
        tx: Transaction,
        caller: Caller,
        row: InterventionRow,
        decision: str,
        reason: str | None = None,
    ) -> None:
        now = self._clock()
        said = Decision(at=now, by=caller.subject, decision=decision, reason=reason)
        await repository.note(
            tx,
            {
                "id": new_id(now),
                "intervention_id": row.id,
                "student_id": row.student_id,
                "kind": "decision",
                "at": now,
                "content": said.model_dump(mode="json"),
            },
        )


def _basis(row: InterventionRow) -> dict[str, Any]:
    names = ("id", "student_id", "duration_days", "created_by")
    return {name: getattr(row, name) for name in names}


def _edited(row: InterventionRow, wish: Edit) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wish.duration_days is not None:
        values["duration_days"] = wish.duration_days
    if wish.keep_steps is not None:
        values |= _with_steps(row, list(dict.fromkeys(wish.keep_steps)))
    return values


def _with_steps(row: InterventionRow, kept: list[int]) -> dict[str, Any]:
    steps = {step.step: step for step in path_of(row)}
    for number in kept:
        if number not in steps:
            raise StepNotFound(step=number, total=len(steps))
    path = [steps[old].model_copy(update={"step": new}) for new, old in enumerate(kept, 1)]
    return {
        "learning_path": [step.model_dump(mode="json") for step in path],
        "progress": {"completed": 0, "total": len(path)},
    }
