"""What a learning event is: one answer with a list of concepts, or another trace of study."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_serializer

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _plausible(when: datetime) -> datetime:
    if not EARLIEST <= when < LATEST:
        raise ValueError("not between 1990 and 2100")
    return when.astimezone(UTC)


Concept = Annotated[str, AfterValidator(_composed), Field(min_length=1, max_length=100)]
When = Annotated[AwareDatetime, AfterValidator(_plausible)]


class Content(BaseModel):
    """What happened; with a `problem_id` and a `result` it is an answer. Other keys are kept."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    action: str | None = Field(default=None, max_length=100)
    problem_id: str | None = Field(default=None, min_length=1, max_length=200)
    concepts: list[Concept] | None = Field(
        default=None,
        max_length=50,
        description="Curriculum codes such as 9수02-20, or any other names of skills.",
    )
    result: Literal["correct", "incorrect"] | None = None
    time_spent: float | None = Field(default=None, ge=0, description="Seconds.")
    difficulty: float | None = Field(
        default=None, ge=0, le=1, description="The author's estimate, 0 easy to 1 hard."
    )

    @field_serializer("time_spent", when_used="json-unless-none")
    def _whole_seconds(self, seconds: float) -> int | float:
        return int(seconds) if seconds.is_integer() else seconds


class LearningEvent(BaseModel):
    """One event as the hub and node 4 take it; (source_node, source_id) identifies it."""

    model_config = ConfigDict(extra="forbid")

    student_id: UUID
    event_type: Literal["study", "test", "intervention"]
    source_node: int = Field(ge=0, le=6)
    source_id: str = Field(min_length=1, max_length=200)
    occurred_at: When = Field(description="RFC 3339 with an offset.")
    content: Content
