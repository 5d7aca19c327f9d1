"""The profile as its readers get it, and the sections it is gathered from."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from student_hub.nodes.schemas import (
    Activity,
    KnowledgeState,
    MasteryLevels,
    ReportCard,
    School,
)
from student_hub.platform.text import Label
from student_hub.students.schemas import Grade


class State(StrEnum):
    """How fresh a node's part of the profile is."""

    FRESH = "fresh"
    CACHED = "cached"
    STALE = "stale"
    UNAVAILABLE = "unavailable"
    SKIPPED = "skipped"


class Source(BaseModel):
    """What became of one node: `stale` is its last good answer, `skipped` was not asked for.

    `age_seconds` and `answered_at` belong to the answer shown and are null when there is none;
    `reason` says why the node could not be asked anew (timeout, circuit_open, invalid, error).
    """

    model_config = ConfigDict(frozen=True)

    node: int = Field(ge=1)
    state: State
    age_seconds: float | None = None
    answered_at: datetime | None = None
    reason: str | None = None


class BasicInfo(BaseModel):
    """Who the student is, from the hub's own register."""

    model_config = ConfigDict(frozen=True)

    name: Label
    school_id: Label
    grade: Grade
    class_name: Label


class Steps(BaseModel):
    """Steps done, of all."""

    model_config = ConfigDict(frozen=True)

    completed: int
    total: int


class ActiveIntervention(BaseModel):
    """A learning intervention that is under way, or paused; `next_check` is its latest one."""

    model_config = ConfigDict(frozen=True)

    intervention_id: str
    type: str
    status: str
    target_level: float
    progress: Steps
    ends_at: datetime | None
    next_check: datetime | None


class UnifiedProfile(BaseModel):
    """One student, gathered. A section that could not be had is null; `sources` says why."""

    model_config = ConfigDict(frozen=True)

    student_id: UUID
    basic_info: BasicInfo
    school: School | None
    knowledge_state: KnowledgeState | None
    mastery_levels: MasteryLevels | None
    recent_activities: list[Activity] | None
    latest_reports: list[ReportCard] | None
    active_interventions: list[ActiveIntervention] | None
    sources: dict[str, Source]
    cached: bool
    generated_at: datetime


class EntryError(BaseModel):
    """Why one student's profile is not there; the codes are those of every door."""

    model_config = ConfigDict(frozen=True)

    code: int
    message: str
    data: dict[str, object]


class ProfileEntry(BaseModel):
    """One student of several: a profile, or the error that is theirs alone."""

    model_config = ConfigDict(frozen=True)

    student_id: UUID
    profile: UnifiedProfile | None
    error: EntryError | None


class UnifiedProfiles(BaseModel):
    """Several students, in the order in which they were asked for."""

    model_config = ConfigDict(frozen=True)

    profiles: list[ProfileEntry]
