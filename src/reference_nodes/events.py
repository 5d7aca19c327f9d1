"""What a learning event is: one answer with a list of concepts, or another trace of study."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_serializer,
)

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


def _or_nothing(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


ODD_IS_NOTHING = WrapValidator(_or_nothing)
"""An odd value of a field that an event may lack is left out: the event itself did happen."""


class Content(BaseModel):
    """What happened; with a `problem_id` and a `result` it is an answer. Other keys are kept."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    action: Annotated[str | None, Field(max_length=100), ODD_IS_NOTHING] = None
    problem_id: Annotated[str | None, Field(min_length=1, max_length=200), ODD_IS_NOTHING] = None
    concepts: Annotated[
        list[Concept] | None,
        Field(
            max_length=50,
            description="Curriculum codes such as 9수02-20, or any other names of skills.",
        ),
        ODD_IS_NOTHING,
    ] = None
    result: Annotated[Literal["correct", "incorrect"] | None, ODD_IS_NOTHING] = None
    time_spent: Annotated[float | None, Field(ge=0, description="Seconds."), ODD_IS_NOTHING] = None
    difficulty: Annotated[
        float | None,
        Field(ge=0, le=1, description="The author's estimate, 0 easy to 1 hard."),
        ODD_IS_NOTHING,
    ] = None

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
