"""How running interventions are followed: steps done, checks, and who is over their time."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from student_hub.history.service import History
from student_hub.interventions import repository
from student_hub.interventions.changing import TEACHER, Changes, name_of
from student_hub.interventions.judging import Standing, areas_now, elapsed, judge
from student_hub.interventions.lifecycle import Status
from student_hub.interventions.messages import CheckProgress, MoveProgress, TellOverdue
from student_hub.interventions.models import InterventionRow
from student_hub.interventions.progress import shown_done
from student_hub.interventions.schemas import Check, Intervention, Progress, Proposal
from student_hub.interventions.shown import path_of, shown
from student_hub.interventions.steering import Steering
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.schemas import ConceptState
from student_hub.notifications.schemas import Template
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.ids import new_id
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

AGAIN_AFTER = timedelta(days=1)
"""Of one that is over its time the teacher hears once a day."""
PER_JOB = 500
log = structlog.get_logger()


class Following:
    """What jobs do with running interventions; `follow` is for who changes histories."""

    def __init__(
        self,
        db: Database,
        students: Students,
        history: History,
        steering: Steering,
        changes: Changes,
        ledger: Ledger,
        logic_engine: LogicEngine,
        clock: Clock,
    ) -> None:
        self._db = db
        self._students = students
        self._history = history
        self._steering = steering
        self._changes = changes
        self._ledger = ledger
        self._logic_engine = logic_engine
        self._clock = clock

    async def follow(self, tx: Transaction, student_ids: Sequence[UUID]) -> None:
        """Asks for another look at the steps of those who have a plan under way."""
        running = await repository.running_among(tx, student_ids)
        for start in range(0, len(running), PER_JOB):
            job = MoveProgress(student_ids=sorted(running[start : start + PER_JOB]))
            await self._ledger.put(tx, job)

    async def move(self, tx: Transaction, student_ids: Sequence[UUID]) -> None:
        """Computes anew which steps of these students' plans are done."""
        for student_id in sorted(student_ids):
            if await self._is_open(tx, student_id):
                for intervention_id in await repository.running_of(tx, student_id):
                    await self._move_one(tx, intervention_id)

    async def checked_of(self, job: CheckProgress) -> list[Intervention]:
        """The plans that are to be checked; none of a student who must not be processed."""
        async with self._db.transaction(SYSTEM) as tx:
            if not await self._is_open(tx, job.student_id):
                return []
            rows = await repository.of_students(tx, [job.student_id], Status.ACTIVE)
        wanted = job.intervention_id
        return [shown(row) for row in rows if wanted is None or row.id == wanted]

    async def concepts_of(self, student_id: UUID) -> list[ConceptState]:
        """What node 1 knows of the student; NodeFailed without an answer."""
        answered = await self._logic_engine.knowledge_state(student_id)
        return answered.value.concepts

    async def check(
        self, tx: Transaction, intervention_id: UUID, concepts: Sequence[ConceptState]
    ) -> None:
        """Stores how the plan stands and what is proposed, tells the teacher, plans the next."""
        row = await self._steering.hold(tx, intervention_id)
        if row is None or row.status != Status.ACTIVE.value:
            return
        check = self._checked(row, concepts)
        note_id = new_id(check.at)
        await repository.note(tx, _note(row, check, note_id))
        changed = await self._changes.store(tx, row, {"last_check": check.model_dump(mode="json")})
        await self._tell(tx, changed, check, note_id)
        await self._changes.check_ahead(tx, changed)

    async def overdue(self, tx: Transaction) -> list[TellOverdue]:
        """A job for each plan that is over its time and of which nobody heard today."""
        now = self._clock()
        ids = await repository.overdue(tx, now, now - AGAIN_AFTER)
        return [TellOverdue(intervention_id=each, day=f"{now:%Y-%m-%d}") for each in ids]

    async def tell_overdue(self, tx: Transaction, job: TellOverdue) -> None:
        """Tells the teacher, if the plan is still under way."""
        row = await self._steering.hold(tx, job.intervention_id)
        if row is None or row.status != Status.ACTIVE.value:
            return
        await repository.change(tx, row.id, {"overdue_told_at": self._clock()})
        await self._changes.tell(
            tx,
            row,
            Template.INTERVENTION_OVERDUE,
            event=f"intervention-overdue:{job.day}",
            to=TEACHER,
        )

    async def _move_one(self, tx: Transaction, intervention_id: UUID) -> None:
        row = await self._steering.hold(tx, intervention_id)
        if row is None or row.status != Status.ACTIVE.value or row.started_at is None:
            return
        events = [
            event
            async for page in self._history.all_of(tx, row.student_id, since=row.started_at)
            for event in page
        ]
        marks = shown_done(path_of(row), row.marks, reversed(events))
        if marks != row.marks:
            await self._steering.with_marks(tx, row, marks)

    async def _is_open(self, tx: Transaction, student_id: UUID) -> bool:
        return not await self._students.not_open(tx, [student_id])

    def _checked(self, row: InterventionRow, concepts: Sequence[ConceptState]) -> Check:
        plan, now = shown(row), self._clock()
        began, ends = plan.started_at or plan.created_at, plan.ends_at or now
        areas = areas_now(plan.weak_areas, concepts)
        progress = Progress.model_validate(row.progress)
        proposal, reasons = judge(Standing(areas, progress, elapsed(began, ends, now)))
        return Check(at=now, areas=areas, progress=progress, proposal=proposal, reasons=reasons)

    async def _tell(
        self, tx: Transaction, row: InterventionRow, check: Check, note_id: UUID
    ) -> None:
        escalates = check.proposal is Proposal.ESCALATE
        template = Template.ESCALATION if escalates else Template.PROGRESS_CHECKED
        facts = {"proposal": check.proposal.value, **_means(check)}
        event = f"progress-checked:{note_id.hex}"
        await self._changes.tell(tx, row, template, event=event, to=TEACHER, facts=facts)
        log.info(
            "progress_checked",
            intervention=name_of(row.id),
            proposal=check.proposal.value,
            reasons=check.reasons,
        )


def _means(check: Check) -> dict[str, float]:
    known = [(area.start, area.now) for area in check.areas if area.now is not None]
    if not known:
        return {}
    before = sum(start for start, _ in known) / len(known)
    now = sum(now for _, now in known) / len(known)
    return {"mastery_before": round(before, 2), "mastery_now": round(now, 2)}


def _note(row: InterventionRow, check: Check, note_id: UUID) -> dict[str, object]:
    return {
        "id": note_id,
        "intervention_id": row.id,
        "student_id": row.student_id,
        "kind": "check",
        "at": check.at,
        "content": check.model_dump(mode="json"),
    }
