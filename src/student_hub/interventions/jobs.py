"""What the room does in the background: the workflow of a plan, its progress, its checks.

The workflow is a chain: each job's effect asks for the next one, in the transaction that ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from student_hub.interventions.changing import TEACHER, Changes
from student_hub.interventions.following import Following
from student_hub.interventions.lifecycle import Phase, Status
from student_hub.interventions.measuring import Measuring
from student_hub.interventions.messages import (
    AskForDecision,
    CheckProgress,
    MeasureAbilities,
    MoveProgress,
    RefreshAnalytics,
    SettleProgressCheck,
    SweepInterventions,
    TellOfIntervention,
    TellOverdue,
)
from student_hub.interventions.schemas import CheckConfig
from student_hub.interventions.steering import Steering
from student_hub.notifications.schemas import Template
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Effect, Handlers, Job, inside
from student_hub.platform.jobs.ledger import Ledger
from student_hub.schedules.schemas import Due, TaskType
from student_hub.schedules.service import Schedules
from student_hub.students.service import Students


def job_of(due: Due) -> Job:
    """A check of the student's plan, or a look at all that are over their time."""
    if due.student_id is None:
        return SweepInterventions(run_id=due.run_id)
    wanted = CheckConfig.model_validate(due.config).intervention_id
    return CheckProgress(student_id=due.student_id, intervention_id=wanted, run_id=due.run_id)


TASK_TYPES = (TaskType("progress_check", job_of, for_student=None, config=CheckConfig),)


@dataclass(frozen=True, slots=True)
class Crew:
    """The parts that the handlers work with."""

    steering: Steering
    changes: Changes
    following: Following
    measuring: Measuring
    students: Students
    schedules: Schedules
    ledger: Ledger


def intervention_handlers(crew: Crew) -> Handlers:
    """The handlers of the room's jobs."""
    workflow, watch = Workflow(crew), Watch(crew)
    return {
        TellOfIntervention: inside(workflow.tell),
        RefreshAnalytics: inside(workflow.refresh),
        SettleProgressCheck: inside(workflow.settle),
        AskForDecision: inside(workflow.ask),
        MeasureAbilities: workflow.measure,
        MoveProgress: inside(watch.move),
        CheckProgress: watch.check,
        SweepInterventions: inside(watch.sweep),
        TellOverdue: inside(watch.tell_overdue),
    }


class Workflow:
    """What follows when a plan begins, step by step."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def tell(self, tx: Transaction, job: TellOfIntervention) -> None:
        """Student, parents and teacher hear of it; then come the analytics."""
        row = await self._crew.steering.hold(tx, job.intervention_id)
        if row is None:
            return
        event = "intervention-created"
        await self._crew.changes.tell(tx, row, Template.INTERVENTION_CREATED, event=event)
        await self._crew.ledger.put(
            tx,
            RefreshAnalytics(intervention_id=row.id),
            unique_key=f"intervention-analytics:{row.id}",
        )

    async def refresh(self, tx: Transaction, job: RefreshAnalytics) -> None:
        """The class's figures are stale, the start is to be measured; then comes the check."""
        row = await self._crew.steering.hold(tx, job.intervention_id)
        if row is None:
            return
        await self._crew.students.touch(tx, [row.student_id])
        measure = MeasureAbilities(intervention_id=row.id, phase=Phase.START)
        await self._crew.ledger.put(tx, measure, unique_key=f"abilities-start:{row.id}")
        settle = SettleProgressCheck(intervention_id=row.id)
        await self._crew.ledger.put(tx, settle, unique_key=f"intervention-check:{row.id}")

    async def settle(self, tx: Transaction, job: SettleProgressCheck) -> None:
        """A check lies ahead of the plan, if it is under way."""
        row = await self._crew.steering.hold(tx, job.intervention_id)
        if row is not None and row.status == Status.ACTIVE.value:
            await self._crew.changes.check_ahead(tx, row)

    async def ask(self, tx: Transaction, job: AskForDecision) -> None:
        """The teacher hears of a plan that waits."""
        row = await self._crew.steering.hold(tx, job.intervention_id)
        if row is not None and row.status == Status.PROPOSED.value:
            event, template = "intervention-proposed", Template.INTERVENTION_PROPOSED
            await self._crew.changes.tell(tx, row, template, event=event, to=TEACHER)

    async def measure(self, job: MeasureAbilities) -> Effect | None:
        """The abilities, as node 2 tells them now."""
        measuring = self._crew.measuring
        measured = await measuring.ask(job.intervention_id, job.phase)
        if measured is None:
            return None

        async def effect(tx: Transaction) -> None:
            await measuring.keep(tx, job.intervention_id, job.phase, measured)

        return effect


class Watch:
    """What is looked at while plans are under way."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def move(self, tx: Transaction, job: MoveProgress) -> None:
        """Steps that events show to be done are marked, and no others."""
        await self._crew.following.move(tx, job.student_ids)

    async def check(self, job: CheckProgress) -> Effect:
        """The checks of the student's plans, from one answer of node 1."""
        following = self._crew.following
        plans = await following.checked_of(job)
        concepts = await following.concepts_of(job.student_id) if plans else []

        async def effect(tx: Transaction) -> None:
            for plan in sorted(plans, key=lambda plan: plan.intervention_id):
                await following.check(tx, plan.intervention_id, concepts)
            await self._run_ended(tx, job.run_id)

        return effect

    async def sweep(self, tx: Transaction, job: SweepInterventions) -> None:
        """A job of its own for each plan that is over its time."""
        jobs: Sequence[TellOverdue] = await self._crew.following.overdue(tx)
        await self._crew.ledger.put_all(tx, jobs, unique_key=_once_a_day)
        await self._run_ended(tx, job.run_id)

    async def tell_overdue(self, tx: Transaction, job: TellOverdue) -> None:
        """The teacher hears of it."""
        await self._crew.following.tell_overdue(tx, job)

    async def _run_ended(self, tx: Transaction, run_id: UUID | None) -> None:
        if run_id is not None:
            await self._crew.schedules.run_ended(tx, run_id)


def _once_a_day(job: TellOverdue) -> str:
    return f"intervention-overdue:{job.intervention_id}:{job.day}"
