"""What goes in and out of the room."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
)
from pydantic_core import PydanticCustomError

from student_hub.platform.text import Text

DATE = slice(0, 10)

EventType = Literal["study", "test", "intervention"]


def _written_out(value: object) -> object:
    """Refuses numbers, which pydantic would read as seconds or milliseconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[DATE].count("-") == 2):  # noqa: PLR2004
        return value
    raise PydanticCustomError("instant", "is not a time like 2026-01-08T14:30:00+09:00")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("instant", "is too near the first or last year") from error


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
SourceNode = Annotated[int, Field(strict=True, ge=0, le=6)]
SourceId = Annotated[Text, Field(max_length=200)]


class EventIn(BaseModel):
    """One thing that a student did, as a node or a school tells it.

    (source_node, source_id) says which event it is, as the id of an xAPI statement does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: UUID
    event_type: EventType
    source_node: SourceNode
    source_id: SourceId
    occurred_at: Instant
    content: dict[str, JsonValue]


class Event(BaseModel):
    """One event of the history; times in UTC."""

    model_config = ConfigDict(frozen=True)

    id: int
    student_id: UUID
    event_type: EventType
    source_node: int
    source_id: str
    occurred_at: datetime
    content: dict[str, JsonValue]


class Code(StrEnum):
    """Why an event was refused."""

    INVALID = "invalid"
    UNKNOWN_STUDENT = "unknown_student"
    CONFLICT = "conflict"
    VOIDED = "voided"
    PROCESSING_STOPPED = "processing_stopped"


class Refused(BaseModel):
    """An event that was not stored: its index in the batch (from 0), and what is wrong with it."""

    index: int
    source_id: str | None
    field: str
    problem: str
    code: Code


class Receipt(BaseModel):
    """What became of a batch: `stored` are new, `repeated` were known with the same content."""

    stored: int = 0
    repeated: int = 0
    refused: list[Refused] = []


class HistoryPage(BaseModel):
    """Events, newest first; `next` asks for the page after this one."""

    events: list[Event]
    next: str | None


class EventKey(BaseModel):
    """Which event: the pair that identifies it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_node: SourceNode
    source_id: SourceId


class Voided(EventKey):
    """An event that counts no more, since when."""

    student_id: UUID
    voided_at: datetime


class VoidedEvent(BaseModel):
    """An event that was voided: its key, when and by whom, and what it said."""

    source_node: int
    source_id: str
    occurred_at: datetime
    voided_at: datetime
    voided_by: str
    voided_event: dict[str, Any] | None
