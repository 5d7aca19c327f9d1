"""How an intervention is made: one call makes one, however often and wherever it is repeated."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.interventions import repository
from student_hub.interventions.changing import Changes
from student_hub.interventions.errors import CallReused, NotProcessed
from student_hub.interventions.lifecycle import Status
from student_hub.interventions.planning import Draft, Planner, Wish
from student_hub.interventions.schemas import (
    Approval,
    Intervention,
    InterventionType,
    NewIntervention,
)
from student_hub.interventions.shown import shown
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.ids import new_id
from student_hub.platform.security.caller import Caller, Scope
from student_hub.students.service import Students

SAME_CALL = timedelta(minutes=10)
"""So long a call without a key is the same as one with the same arguments: MCP resumes none."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is recognised when it comes again."""

    subject: str
    name: str
    digest: bytes
    has_key: bool

    @classmethod
    def of(cls, caller: Caller, wanted: NewIntervention) -> "Call":
        plain = wanted.model_dump(mode="json", exclude={"idempotency_key"})
        digest = hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).digest()
        key = wanted.idempotency_key
        name = f"key:{key}" if key is not None else f"same:{digest.hex()}"
        return cls(caller.subject, name, digest, key is not None)


class Creating:
    """The use case; nodes are asked outside of any transaction, all is stored in one."""

    def __init__(
        self,
        db: Database,
        students: Students,
        audit: Audit,
        clock: Clock,
        planner: Planner,
        changes: Changes,
        approval: Approval,
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._clock = clock
        self._planner = planner
        self._changes = changes
        self._approval = approval

    async def create(self, caller: Caller, wanted: NewIntervention) -> Intervention:
        """The intervention; for a repeated call what was answered the first time.

        StudentNotFound; NotProcessed while the student's data must not be; TargetReached or
        NothingKnown when there is nothing to plan; NodeFailed when node 2 or 3 has no answer: then
        nothing is stored. CallReused for a key that came with other arguments.
        """
        about = [wanted.student_id]
        with self._audit.refusals(caller, Action.INTERVENTION_CREATE, about):
            caller.require(Scope.READ)
            caller.require(Scope.PLAN)
            call = Call.of(caller, wanted)
            before = await transact(self._db, partial(self._look, caller, wanted, call), caller)
            if before is not None:
                return before
            draft = await self._planner.plan(_wish(wanted))
            store = partial(self._store, caller, wanted, call, draft)
            return await transact(self._db, store, caller)

    async def _look(
        self, caller: Caller, wanted: NewIntervention, call: Call, tx: Transaction
    ) -> Intervention | None:
        await self._students.see(tx, caller, wanted.student_id)
        before = await self._earlier(tx, call)
        if before is None:
            await self._require_open(tx, wanted.student_id)
        return before

    async def _store(
        self, caller: Caller, wanted: NewIntervention, call: Call, draft: Draft, tx: Transaction
    ) -> Intervention:
        # Students come first with every writer; the lock of the call comes before what it makes.
        await self._students.existing(tx, [wanted.student_id])
        await self._students.see(tx, caller, wanted.student_id)
        await repository.alone_with_call(tx, call.subject, call.name)
        if (before := await self._earlier(tx, call)) is not None:
            return before
        await self._require_open(tx, wanted.student_id)
        return await self._make(tx, caller, call, self._row(caller, wanted, draft))

    async def _make(
        self, tx: Transaction, caller: Caller, call: Call, row: dict[str, Any]
    ) -> Intervention:
        await repository.add(tx, row)
        if row["status"] == Status.PROPOSED.value:
            await self._changes.proposed(tx, row["id"])
        else:
            await repository.change(tx, row["id"], await self._changes.begun(tx, row))
        await self._changes.record(tx, caller, row, "created")
        await self._students.touch(tx, [row["student_id"]])
        about, detail = [row["student_id"]], {"intervention": str(row["id"])}
        await self._audit.note(tx, caller, Action.INTERVENTION_CREATE, about, detail=detail)
        stored = await repository.one(tx, row["id"])
        assert stored is not None, "was added in this transaction"  # noqa: S101
        answer = shown(stored)
        await self._keep_call(tx, call, answer)
        return answer

    async def _keep_call(self, tx: Transaction, call: Call, answer: Intervention) -> None:
        row = self._call_row(call, answer)
        if not call.has_key:
            await repository.note_call(tx, row)
        elif not await repository.note_keyed_call(tx, row):
            # It was used for a student whom the caller does not see any more.
            raise CallReused

    async def _earlier(self, tx: Transaction, call: Call) -> Intervention | None:
        found = await repository.call_of(tx, call.subject, call.name)
        if found is None or (not call.has_key and found.at <= self._clock() - SAME_CALL):
            return None
        if found.digest != call.digest:
            raise CallReused
        return Intervention.model_validate(found.answer)

    async def _require_open(self, tx: Transaction, student_id: UUID) -> None:
        for state in (await self._students.not_open(tx, [student_id])).values():
            raise NotProcessed(state=state.value)

    def _row(self, caller: Caller, wanted: NewIntervention, draft: Draft) -> dict[str, Any]:
        now = self._clock()
        status = Status.PROPOSED if self._waits(wanted.type) else Status.ACTIVE
        return {
            "id": new_id(now),
            "student_id": wanted.student_id,
            "type": wanted.type.value,
            "target_level": wanted.target_level,
            "duration_days": wanted.duration_days,
            "weak_areas": [area.model_dump(mode="json") for area in draft.areas],
            "learning_path": [step.model_dump(mode="json") for step in draft.steps],
            "marks": {},
            "progress": {"completed": 0, "total": len(draft.steps)},
            "tasks": [],
            "status": status.value,
            "version": 0,
            "created_by": caller.subject,
            "created_at": now,
        }

    def _waits(self, kind: InterventionType) -> bool:
        of_auto = self._approval is Approval.AUTO and kind is InterventionType.AUTO
        return of_auto or self._approval is Approval.ALL

    def _call_row(self, call: Call, answer: Intervention) -> dict[str, Any]:
        return {
            "subject": call.subject,
            "call": call.name,
            "digest": call.digest,
            "intervention_id": answer.intervention_id,
            "student_id": answer.student_id,
            "answer": answer.model_dump(mode="json"),
            "at": self._clock(),
        }


def _wish(wanted: NewIntervention) -> Wish:
    return Wish(wanted.student_id, wanted.target_level, wanted.duration_days, wanted.focus_areas)
