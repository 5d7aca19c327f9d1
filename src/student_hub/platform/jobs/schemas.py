"""What an operator asks of the ledger, and is told."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.states import JobState

KIND = r"^[a-z][a-z0-9_]{0,99}$"
JobKind = Annotated[str, Field(pattern=KIND, examples=["forward_events"])]
"""The kind of a job: its message class, in small letters."""


class JobFilter(BaseModel):
    """Which jobs are wanted; every filter that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: JobKind | None = None
    state: JobState | None = None
    queue: Queue | None = None


class JobError(BaseModel):
    """Why a job failed the last time; without personal data and without SQL."""

    kind: str
    """The class of the error."""
    message: str | None


class ShownJob(BaseModel):
    """A job; its payload has ids, numbers, times and words of the program, and nothing else."""

    id: int
    kind: str
    queue: Queue
    state: JobState
    payload: dict[str, object]
    unique_key: str | None
    attempts: int
    most_attempts: int
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    """When the last run began; null before the first."""
    finished_at: datetime | None
    worker: str | None
    """Machine and process of the last run."""
    error: JobError | None


class JobPage(BaseModel):
    """Jobs, the newest first; `next` asks for the page after this one."""

    jobs: list[ShownJob]
    next: str | None


class QueueState(BaseModel):
    """How many jobs a queue has in each state, and for how long the oldest due one has waited."""

    queue: Queue
    due: int = 0
    delayed: int = 0
    running: int = 0
    dead: int = 0
    lag_s: float = 0.0


class DeadKind(BaseModel):
    """How many jobs of a kind are dead."""

    kind: str
    dead: int


class Queues(BaseModel):
    """Every queue, and which kinds of jobs are dead."""

    queues: list[QueueState]
    dead: list[DeadKind]


class Retried(BaseModel):
    """How many dead jobs are due again, and how many of the kind are still dead."""

    retried: int
    left: int
