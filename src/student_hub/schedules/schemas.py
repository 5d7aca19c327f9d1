"""What rooms above offer and ask for, and what is shown of tasks and their runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.payloads import Word, require_plain
from student_hub.platform.shown_ids import Shown

SEOUL = "Asia/Seoul"
TaskId = Annotated[UUID, Shown("TASK")]
RequestKey = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
"""What a caller names a call by, so that it can be repeated: printable ASCII without blanks."""


class ScheduleType(StrEnum):
    """By a cron expression, each so many seconds, or once."""

    CRON = "cron"
    INTERVAL = "interval"
    ONE_TIME = "one_time"


class Status(StrEnum):
    """Only an `active` task fires; a `completed` or `cancelled` one never will again."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a run ended; `skipped`: the student's data must not be processed."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class NoConfig(BaseModel):
    """For types of tasks that need to be told nothing more."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Due:
    """A task that fires: for whom, for which time, and the run that its job is to report to."""

    task_id: UUID
    run_id: UUID
    student_id: UUID | None
    scheduled_for: datetime
    config: Mapping[str, Any]
    """As the type's model wrote it down: with its defaults, in plain JSON."""
    run_now: bool = False


@dataclass(frozen=True, slots=True)
class TaskType:
    """A type of tasks: the job that a run asks for, and what its config looks like.

    `for_student`: whether it needs a student (True), must have none (False), or takes either. A
    config that could hold free text is refused (TypeError), as it goes into jobs and to models.
    """

    name: Word
    job: Callable[[Due], Job]
    for_student: bool | None = None
    config: type[BaseModel] = field(default=NoConfig)

    def __post_init__(self) -> None:
        """Looks at the fields of the config."""
        require_plain(f"the config of {self.name}", self.config.model_fields)


class TaskDraft(BaseModel):
    """A task as somebody wishes it; exactly the field of its `schedule_type` is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_type: Annotated[str, Field(max_length=100)]
    schedule_type: ScheduleType
    cron_expression: str | None = None
    interval_seconds: int | None = None
    run_at: AwareDatetime | None = None
    timezone: Annotated[str, Field(max_length=64)] = SEOUL
    student_id: UUID | None = None
    config: dict[str, Any] = {}


class NewTask(TaskDraft):
    """A draft as the door takes it; the same key is the same call, whenever it comes again."""

    idempotency_key: RequestKey | None = None

    def draft(self) -> TaskDraft:
        """The task alone."""
        return TaskDraft.model_construct(**{name: getattr(self, name) for name in DRAFT})


DRAFT = tuple(TaskDraft.model_fields)


class Task(BaseModel):
    """A task; `next_runs` are the next three times, none when it is paused or over.

    `student_id` null: for all students. `standing` names one of the hub's own tasks.
    """

    model_config = ConfigDict(frozen=True)

    task_id: TaskId
    task_type: str
    schedule_type: ScheduleType
    cron_expression: str | None
    interval_seconds: int | None
    run_at: datetime | None
    timezone: str
    student_id: UUID | None
    config: dict[str, Any]
    status: Status
    next_runs: list[datetime]
    last_run_at: datetime | None
    standing: str | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class TaskFilter(BaseModel):
    """Which tasks are wanted; every filter that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: UUID | None = None
    task_type: Word | None = None
    status: Status | None = None


class TaskPage(BaseModel):
    """Tasks, the newest first; `next` asks for the page after this one."""

    tasks: list[Task]
    next: str | None


class TaskRun(BaseModel):
    """A run: `outcome` is null while it is under way, `done` of `total` jobs have ended well.

    `missed` counts the times before `scheduled_for` that were not made up for (at most 1,000);
    `duration_s` is from its firing to the end of its last job.
    """

    model_config = ConfigDict(frozen=True)

    run_id: UUID
    scheduled_for: datetime
    run_now: bool
    started_at: datetime
    finished_at: datetime | None
    duration_s: float | None
    outcome: Outcome | None
    reason: str | None
    missed: int
    total: int
    done: int
    failed: int


class RunPage(BaseModel):
    """Runs of a task, the newest first; `next` asks for the page after this one."""

    task_id: TaskId
    runs: list[TaskRun]
    next: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A task of the hub's own, under a name by which it is known at every start."""

    name: Word
    draft: TaskDraft


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of a task that was due."""

    task_type: str
    lag_s: float
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tasks that are due and not fired yet, and for how long the oldest of them has been."""

    due: int
    lag_s: float
