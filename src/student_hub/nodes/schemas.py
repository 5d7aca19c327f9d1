"""What the nodes answer, as far as the hub passes it on. Unknown fields are left out.

Some of their text was written by a language model or by students. So what is free text, or does not
look like the name or code that it should be, goes out set apart as `untrusted_text`; all of it is
bounded and free of control and direction-changing characters.
"""

import datetime as dt
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from student_hub.platform.text import LONGEST_LABEL, FreeText, Label, Untrusted, is_label, label

MOST_TERMS = 4_096


@lru_cache(MOST_TERMS)
def _known(text: str) -> object:
    return label(text)


def _term(value: object) -> object:
    short = isinstance(value, str) and len(value) <= LONGEST_LABEL
    return _known(value) if short else label(value)


Term = Annotated[str | Untrusted, BeforeValidator(_term)]
"""A `Label` of the curriculum: there are few of them, and looking at each anew takes long."""
# A pattern with a bounded repetition takes seven times as long as one beside a length.
Code = Annotated[str, Field(pattern=r"^[\w.:/+\-]+$", max_length=100)]
Subject = Annotated[str, Field(pattern=r"^[\w&+\-]+$", max_length=40)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Interval = tuple[Share, Share]


def _with_names(by_subject: dict[str, float | None]) -> dict[str, float | None]:
    """Without the entries whose key is no name of a subject: a key cannot be set apart."""
    return {name: share for name, share in by_subject.items() if is_label(name)}


class NodeAnswer(BaseModel):
    """The base of every answer: read-only, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ConceptState(NodeAnswer):
    """How well one concept is known; `interval` is the 80 % interval of `mastery`."""

    name: Term
    code: Code | None = None
    mastery: Share
    interval: Interval | None = None
    answers: Count | None = None
    last_at: AwareDatetime | None = None
    due: bool | None = None
    unmet_prerequisites: list[Term] = Field(default_factory=list)  # a copy of [] costs more


class KnowledgeState(NodeAnswer):
    """Node 1: the concepts that a student has met."""

    node: Literal[1] = 1
    concepts: list[ConceptState]


class Coverage(NodeAnswer):
    """How many of the grade's achievement standards have been practised."""

    seen: Count
    of: Count


class MasteryLevels(NodeAnswer):
    """Node 2: mastery overall and by subject; null where nothing was answered yet."""

    node: Literal[2] = 2
    overall: Share | None
    interval: Interval | None = None
    by_subject: Annotated[dict[str, Share | None], AfterValidator(_with_names)]
    answers: Count | None = None
    coverage: Coverage | None = None


class Activity(NodeAnswer):
    """Node 4: one kind of activity on one day (Asia/Seoul); `duration` in seconds."""

    date: dt.date
    type: Code
    duration: Count
    problems_solved: Count
    correct: Count | None = None


class Activities(NodeAnswer):
    """Node 4: what a student did, the newest first."""

    activities: list[Activity]


class Recorded(NodeAnswer):
    """Node 4: how many events were new to it, and how many it had already."""

    recorded: Count
    repeated: Count = 0


class VoidedThere(NodeAnswer):
    """Node 4: whether an event counted until it was voided."""

    voided: bool


class Forgotten(NodeAnswer):
    """Node 4: how many events of a student it has destroyed."""

    forgotten: Count


class ReportCard(NodeAnswer):
    """Node 5: a report that can be fetched."""

    report_id: Code
    type: Code
    generated_at: AwareDatetime
    summary: FreeText | None = None


class Reports(NodeAnswer):
    """Node 5: the latest reports of a student."""

    reports: list[ReportCard]


class School(NodeAnswer):
    """Node 6: a school; without a name when the node knows none of that id."""

    school_id: str
    name: Label | None
    kind: Label | None = None
    region: Label | None = None
    address: FreeText | None = None
    homepage: FreeText | None = None


class WeakArea(NodeAnswer):
    """A concept under the target; `blocks` are concepts that need it."""

    concept: Term
    code: Code | None = None
    current_mastery: Share
    target_mastery: Share | None = None
    interval: Interval | None = None
    answers: Count | None = None
    blocks: Annotated[list[Term], Field(max_length=100)] = Field(default_factory=list)


class WeakAreas(NodeAnswer):
    """Node 2: what is under the target, the most urgent first; empty when nothing is."""

    weak_areas: Annotated[list[WeakArea], Field(max_length=100)]


class PathStep(NodeAnswer):
    """One thing to do; `estimated_duration` in seconds, `codes` all concepts of a mixed one."""

    step: Annotated[int, Field(ge=1, le=500)]
    activity: Code
    concept: Term | None = None
    code: Code | None = None
    codes: Annotated[list[Code], Field(max_length=50)] = Field(default_factory=list)
    estimated_duration: Annotated[int, Field(ge=0, le=30 * 86_400)] | None = None
    problem_set_id: Code | None = None
    num_problems: Annotated[int, Field(ge=1, le=500)] | None = None
    difficulty: Share | None = None
    why: FreeText | None = None


class LearningPath(NodeAnswer):
    """Node 3: the steps towards the targets, in their order, counted from 1."""

    learning_path: Annotated[list[PathStep], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if [step.step for step in self.learning_path] != [*range(1, len(self.learning_path) + 1)]:
            raise ValueError("steps out of order")
        return self
