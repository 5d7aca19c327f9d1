"""What the nodes answer, as far as the hub passes it on. Unknown fields are left out.

Text from a node is bounded and free of control and direction-changing characters: some of it was
written by a language model or by students.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from student_hub.platform.text import visible

LONGEST = 500


def _bounded(value: object) -> object:
    return visible(value)[:LONGEST] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_bounded)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Interval = tuple[Share, Share]


class NodeAnswer(BaseModel):
    """The base of every answer: read-only, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ConceptState(NodeAnswer):
    """How well one concept is known; `interval` is the 80 % interval of `mastery`."""

    name: Text
    code: Text | None = None
    mastery: Share
    interval: Interval | None = None
    answers: Count | None = None
    last_at: AwareDatetime | None = None
    due: bool | None = None
    unmet_prerequisites: list[Text] = []


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
    by_subject: dict[Text, Share | None]
    answers: Count | None = None
    coverage: Coverage | None = None


class Activity(NodeAnswer):
    """Node 4: one kind of activity on one day (Asia/Seoul); `duration` in seconds."""

    date: dt.date
    type: Text
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


class ReportCard(NodeAnswer):
    """Node 5: a report that can be fetched."""

    report_id: Text
    type: Text
    generated_at: AwareDatetime
    summary: Text | None = None


class Reports(NodeAnswer):
    """Node 5: the latest reports of a student."""

    reports: list[ReportCard]


class School(NodeAnswer):
    """Node 6: a school; without a name when the node knows none of that id."""

    school_id: Text
    name: Text | None
    kind: Text | None = None
    region: Text | None = None
    address: Text | None = None
    homepage: Text | None = None
