"""The answer about a class. Students are named by their ids only; every list has an end."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from student_hub.analytics.reasons import Reason
from student_hub.analytics.statistics.summary import Verdict

Interval = tuple[float, float]


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class WindowShown(Shown):
    """The window: whole days of Asia/Seoul, `to` being the last."""

    begins: dt.date = Field(serialization_alias="from", validation_alias="from")
    to: dt.date
    days: int


class Method(Shown):
    """How mastery was estimated; intervals cover that share, verdicts compare with the target."""

    model: str
    interval: float
    target: float


class RosterShown(Shown):
    """Who is in the figures. `coverage` is with_data over students.

    `left_out` may not be processed (stopped, or a consent is missing); of `unanswered` a node could
    not be asked just now. Neither is in any figure.
    """

    students: int
    left_out: int
    unanswered: int
    with_data: int
    active_in_window: int
    coverage: float | None


class Bands(Shown):
    """Students by overall mastery: at or over the target, from 0.6 on, under that, no data."""

    mastered: int
    developing: int
    struggling: int
    unknown: int


class Overall(Shown):
    """Mastery over all concepts; `ci` is the 80 % interval of the mean."""

    n: int
    mean: float
    ci: Interval
    median: float
    q1: float
    q3: float
    bands: Bands


class ShareMastered(Shown):
    """The share of students who are above the target."""

    p: float
    ci: Interval


class ConceptShown(Shown):
    """A class at one concept. `blocked_by` are prerequisites that are weak for many."""

    code: str | None
    concept: str
    n_students: int
    n_answers: int
    mean: float
    ci: Interval
    median: float
    q1: float
    q3: float
    share_mastered: ShareMastered
    verdict: Verdict
    blocked_by: list[str]


class Mastery(Shown):
    """Null and empty where nobody has data, or the group is too small for this reader."""

    overall: Overall | None
    by_concept: list[ConceptShown]


class DayShown(Shown):
    date: dt.date
    active: int
    problems: int
    minutes: int


class Engagement(Shown):
    """Days without activity are left out; medians are of the students who were active."""

    per_day: list[DayShown]
    median_minutes_per_active_day: float | None
    active_days_median: float | None


class PreviousWindow(Shown):
    """The same students when the window began."""

    mean: float
    n: int


class GrowthShown(Shown):
    """The mean change of overall mastery, of those who answered both before and in the window."""

    n: int
    change: float
    ci: Interval
    previous_window: PreviousWindow


class RiskLevel(StrEnum):
    HIGH = "high"
    WATCH = "watch"


class SuggestedAction(Shown):
    """What could be done; `with` names others in the same place."""

    type: str
    concept: str | None
    others: list[UUID] = Field(serialization_alias="with", validation_alias="with")


class AtRisk(Shown):
    student_id: UUID
    level: RiskLevel
    in_intervention: bool
    reasons: list[Reason]
    suggested_action: SuggestedAction


class Group(Shown):
    """Students who lack the same thing; `blocks` is what the class works on and needs it for."""

    concept: str
    student_ids: list[UUID]
    blocks: list[str]


class Running(Shown):
    intervention_id: str
    done: int
    total: int
    days_left: int


class Finished(Shown):
    """What finished interventions changed, beside comparable students; never a causal claim."""

    n: int
    change: float | None
    comparison_change: float | None
    effect_g: float | None
    ci95: Interval | None
    verdict: str


class InterventionsShown(Shown):
    running: list[Running]
    finished: Finished | None


class Caveat(Shown):
    """What has to be said beside the figures."""

    code: str
    text: str
    text_en: str


class ClassAnalytics(Shown):
    """A class or grade as a teacher acts on it. Every estimate carries its n and interval."""

    class_id: str
    window: WindowShown
    generated_at: dt.datetime
    method: Method
    roster: RosterShown
    headline: list[str]
    headline_en: list[str]
    mastery: Mastery
    weakest_concepts: list[str]
    engagement: Engagement
    growth: GrowthShown | None
    at_risk: list[AtRisk]
    at_risk_total: int
    groups: list[Group]
    interventions: InterventionsShown
    caveats: list[Caveat]
