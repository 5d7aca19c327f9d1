"""What a report says."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Interval = Annotated[list[float], Field(min_length=2, max_length=2)]
Kind = Literal["daily", "weekly"]


class Period(BaseModel):
    """Days in Seoul, both ends included."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="to")


class MasteryChange(BaseModel):
    """Mastery at the two ends of a period; the 80 % interval is that of the change."""

    before: float
    after: float
    change: float
    interval: Interval


class ConceptChange(MasteryChange):
    """The change on one concept practised in the period."""

    code: str
    concept: str
    answers: int = Field(description="Answers on the concept in the period.")


class Reason(BaseModel):
    """Something behind the figures, in words."""

    code: Literal["ANSWERS", "DIFFICULTY", "RHYTHM", "SURE_CHANGE", "NO_SURE_CHANGE"]
    text: str


class NextStep(BaseModel):
    """What to do next, and why."""

    action: Literal["review_prerequisite", "practice", "review_due", "go_on"]
    code: str | None
    concept: str | None
    text: str


class Totals(BaseModel):
    """What was done in a period."""

    minutes: int
    problems: int
    correct: int
    active_days: int


class Report(BaseModel):
    """One student's day or week; `generated_at` is when the period was over."""

    report_id: str
    type: Kind
    student_id: UUID
    period: Period
    generated_at: dt.datetime
    summary: str
    totals: Totals
    overall: MasteryChange | None
    concepts: list[ConceptChange]
    reasons: list[Reason]
    next_step: NextStep


class ClassWeek(BaseModel):
    """A class's week in figures; who did nothing is named, not averaged."""

    class_id: str
    period: Period
    students: int
    with_activity: int
    without_activity: list[UUID]
    median_minutes: int | None = Field(description="Of the students with activity.")
    needs_help: list[UUID] = Field(
        description="Upper end of the 80 % interval of overall mastery under 0.70."
    )
