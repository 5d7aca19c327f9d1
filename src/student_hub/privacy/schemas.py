"""What is asked and answered about erasure and export."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from student_hub.platform.text import Text

Reason = Annotated[Text, Field(max_length=200, description="Why; it is kept.")]


class WithReason(BaseModel):
    """Something that is done only for a reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason


class AtNode(StrEnum):
    """What a node that was told of an erasure said; nothing yet while it is being told."""

    FORGOTTEN = "forgotten"
    NOT_OFFERED = "not_offered"


class Erasure(BaseModel):
    """The proof that a student was erased: when, by whom, why, and how many rows of which table.

    `genuine`: its seal is the hub's own and fits what it says. `nodes` and `cache_emptied_at` tell
    how far the rest of the platform has come.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    student_id: UUID
    erased_at: datetime
    by: str
    reason: str
    counts: dict[str, int]
    key_destroyed: str
    seal: str
    seal_key_id: str
    genuine: bool
    nodes: dict[str, str]
    cache_emptied_at: datetime | None


class EarlierErasure(BaseModel):
    """That the student's id was erased before they were registered anew."""

    model_config = ConfigDict(frozen=True)

    erased_at: datetime
    reason: str


class ErasurePage(BaseModel):
    """Proofs, the newest first; `next` asks for those before them."""

    erasures: list[Erasure]
    next: UUID | None


class Replayed(BaseModel):
    """What a replay found: students who were back and are erased again, and those still gone."""

    erased_again: int
    still_gone: int
