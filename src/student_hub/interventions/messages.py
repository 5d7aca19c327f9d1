"""The jobs that the room asks for."""

from uuid import UUID

from student_hub.interventions.lifecycle import Phase
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.payloads import Word
from student_hub.platform.jobs.queues import Queue


class TellOfIntervention(Job):
    """First of the workflow: student, parents and teacher hear of a plan that has begun."""

    queue = Queue.HIGH_PRIORITY
    intervention_id: UUID


class RefreshAnalytics(Job):
    """Second: what was computed of the student's class is stale, and the start is measured."""

    queue = Queue.HIGH_PRIORITY
    intervention_id: UUID


class SettleProgressCheck(Job):
    """Third: the intervention has a progress check ahead of it."""

    queue = Queue.HIGH_PRIORITY
    intervention_id: UUID


class AskForDecision(Job):
    """The teacher hears of a plan that waits for a decision."""

    queue = Queue.HIGH_PRIORITY
    intervention_id: UUID


class MeasureAbilities(Job):
    """Write down the abilities of the student and of others who have no plan."""

    queue = Queue.LOW_PRIORITY
    intervention_id: UUID
    phase: Phase


class MoveProgress(Job):
    """Something happened to these students' histories: their steps are looked at again."""

    student_ids: list[UUID]


class CheckProgress(Job):
    """Compare masteries now with those at the start; all the student's plans, or one of them."""

    student_id: UUID
    intervention_id: UUID | None = None
    run_id: UUID | None = None


class SweepInterventions(Job):
    """Look for plans that are over their time."""

    queue = Queue.LOW_PRIORITY
    run_id: UUID | None = None


class TellOverdue(Job):
    """The teacher hears that a plan's time is over; `day` makes it once a day."""

    intervention_id: UUID
    day: Word
