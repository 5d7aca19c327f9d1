"""Tasks and runs as they are shown, and the schedule that a stored task has."""

from student_hub.schedules.checking import schedule_of
from student_hub.schedules.models import RunRow, TaskRow
from student_hub.schedules.schemas import (
    Outcome,
    ScheduleType,
    Status,
    Task,
    TaskDraft,
    TaskRun,
)
from student_hub.schedules.times import Schedule, next_times

SHOWN_TIMES = 3
SAME = (
    "task_type",
    "cron_expression",
    "interval_seconds",
    "run_at",
    "timezone",
    "student_id",
    "config",
)
ALIKE = ("last_run_at", "standing", "created_by", "created_at", "ended_at")
OF_RUN = (
    "scheduled_for",
    "run_now",
    "started_at",
    "finished_at",
    "reason",
    "missed",
    "total",
    "done",
    "failed",
)


def schedule_in(row: TaskRow) -> Schedule:
    """When the stored task fires."""
    given = {name: getattr(row, name) for name in SAME}
    draft = TaskDraft.model_construct(**given, schedule_type=ScheduleType(row.schedule_type))
    return schedule_of(draft, row.created_at)


def shown(row: TaskRow) -> Task:
    """The task with its next three times."""
    active = row.status == Status.ACTIVE.value
    times = next_times(schedule_in(row), row.next_run_at, SHOWN_TIMES) if active else []
    return Task(
        task_id=row.id,
        schedule_type=ScheduleType(row.schedule_type),
        status=Status(row.status),
        next_runs=times,
        **{name: getattr(row, name) for name in (*SAME, *ALIKE)},
    )


def shown_run(row: RunRow) -> TaskRun:
    """The run, and how long it took."""
    end = row.finished_at
    took = None if end is None else (end - row.started_at).total_seconds()
    return TaskRun(
        run_id=row.id,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        duration_s=None if took is None else round(max(0.0, took), 3),
        **{name: getattr(row, name) for name in OF_RUN},
    )
