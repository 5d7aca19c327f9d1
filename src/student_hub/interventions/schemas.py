"""Interventions as they are wished for, shown and kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from student_hub.interventions.lifecycle import Status
from student_hub.nodes.schemas import Code, Interval, PathStep, Share, Term
from student_hub.platform.shown_ids import Shown
from student_hub.platform.text import FreeText, Text
from student_hub.schedules.schemas import RequestKey, TaskId

InterventionId = Annotated[UUID, Shown("INT")]
Target = Annotated[float, Field(gt=0, le=1)]
Days = Annotated[int, Field(ge=1, le=365)]
Focus = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(min_length=1, max_length=20)]
Reason = Annotated[Text, Field(max_length=500)]
StepNumber = Annotated[int, Field(ge=1, le=500)]


class InterventionType(StrEnum):
    """Who had the idea: the platform, or a teacher."""

    AUTO = "auto"
    TEACHER_REQUESTED = "teacher_requested"


class Approval(StrEnum):
    """Which plans wait for a teacher's decision."""

    NONE = "none"
    AUTO = "auto"
    ALL = "all"


class NewIntervention(BaseModel):
    """What is wished for; the same key is the same call, whenever it comes again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: UUID
    type: InterventionType
    target_level: Target
    duration_days: Days
    focus_areas: Focus | None = None
    idempotency_key: RequestKey | None = None


class AreaToMend(BaseModel):
    """A weak concept: its mastery when the plan was made, and the one to reach."""

    model_config = ConfigDict(frozen=True)

    concept: Term
    code: Code | None = None
    current_mastery: Share
    target_mastery: Share
    interval: Interval | None = None
    answers: int | None = None


class Step(BaseModel):
    """One thing to do; done when `done_at` is set, by `events` or by whoever marked it."""

    model_config = ConfigDict(frozen=True)

    step: StepNumber
    activity: Code
    concept: Term | None = None
    code: Code | None = None
    codes: list[Code] = []
    estimated_duration: int | None = None
    problem_set_id: Code | None = None
    num_problems: int | None = None
    difficulty: Share | None = None
    why: FreeText | None = None
    done_at: datetime | None = None
    done_by: str | None = None

    @classmethod
    def of(cls, step: PathStep) -> "Step":
        """A step as node 3 proposes it."""
        return cls.model_validate(step.model_dump())


class Progress(BaseModel):
    """Steps done, of all."""

    model_config = ConfigDict(frozen=True)

    completed: int
    total: int


class ScheduledCheck(BaseModel):
    """A task that belongs to the intervention, and when it runs next."""

    model_config = ConfigDict(frozen=True)

    task_id: TaskId
    type: str
    scheduled_at: datetime


class Proposal(StrEnum):
    """What a progress check proposes."""

    CONTINUE = "continue"
    COMPLETE = "complete"
    EXTEND = "extend"
    ESCALATE = "escalate"


class AreaNow(BaseModel):
    """A weak concept's mastery at the start and at a check; null when it could not be had."""

    model_config = ConfigDict(frozen=True)

    concept: Term
    code: Code | None = None
    start: Share
    now: Share | None
    target: Share


class Check(BaseModel):
    """A progress check: what has become of the weak areas, and what it proposes, with reasons."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    areas: list[AreaNow]
    progress: Progress
    proposal: Proposal
    reasons: list[str]
    """Codes: targets_reached, mastery_fell, no_gain, not_begun, time_over, on_the_way."""


class Decision(BaseModel):
    """Who decided what about a proposal."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: str
    decision: str
    reason: str | None = None


class Intervention(BaseModel):
    """A learning intervention. `version` grows with every change; edits must name it."""

    model_config = ConfigDict(frozen=True)

    intervention_id: InterventionId
    student_id: UUID
    type: InterventionType
    target_level: Share
    duration_days: int
    weak_areas: list[AreaToMend]
    learning_path: list[Step]
    progress: Progress
    scheduled_tasks: list[ScheduledCheck]
    status: Status
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ends_at: datetime | None
    """When the planned days are over."""
    ended_at: datetime | None
    last_check: Check | None = None
    version: int


class InterventionHistory(Intervention):
    """The same with all decisions and checks, the oldest first."""

    decisions: list[Decision]
    checks: list[Check]


class InterventionFilter(BaseModel):
    """Which interventions are wanted; every filter that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: UUID | None = None
    status: Status | None = None
    type: InterventionType | None = None


class InterventionPage(BaseModel):
    """Interventions, the newest first; `next` asks for the page after this one."""

    interventions: list[Intervention]
    next: str | None


class Edit(BaseModel):
    """A proposal as its teacher wants it; `version` is the one that was looked at.

    `keep_steps` are the numbers of the steps that stay, in their new order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    duration_days: Days | None = None
    keep_steps: Annotated[list[StepNumber], Field(min_length=1, max_length=200)] | None = None


class Measured(BaseModel):
    """An ability (logits) that was written down, of who had a plan or of who is compared."""

    at: datetime
    phase: str
    treated: bool
    ability: float


class Verdict(StrEnum):
    """What an estimated effect says; never what caused it."""

    TOO_FEW_TO_TELL = "too_few_to_tell"
    HIGHER = "higher_than_comparison"
    LOWER = "lower_than_comparison"


class Scope(BaseModel):
    """A school, a grade of it, or a class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    school_id: Annotated[Text, Field(max_length=50)]
    grade: Annotated[int, Field(ge=1, le=12)] | None = None
    class_name: Annotated[Text, Field(max_length=50)] | None = None


class EffectOfMany(BaseModel):
    """Finished interventions beside comparable students who had none, in logits of ability.

    `difference` is the mean of (change of the treated - mean change of their matches); `effect_g`
    is it in standard deviations of ability at the start (Hedges), each with a 95 % interval. Null
    where fewer than two can be compared.
    """

    n: int
    finished: int
    change: float | None
    comparison_change: float | None
    difference: float | None
    difference_ci95: tuple[float, float] | None
    effect_g: float | None
    effect_ci95: tuple[float, float] | None
    verdict: Verdict


class CheckConfig(BaseModel):
    """Of a task `progress_check`: one plan of its student; without it all that are under way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    intervention_id: UUID | None = None
