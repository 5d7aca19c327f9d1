"""Periodic tasks as a tool for language models and services."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from student_hub.platform.mcp.tool import tool
from student_hub.platform.security.caller import Caller
from student_hub.schedules.schemas import SEOUL, RequestKey, ScheduleType, Task, TaskDraft
from student_hub.schedules.service import Schedules

TypeName = Annotated[
    str,
    Field(
        max_length=100,
        description="daily_report, weekly_analytics, progress_check, …; an "
        "unknown one is refused with the list of those there are.",
    ),
]
When = Annotated[
    ScheduleType,
    Field(description="cron needs cron_expression, interval interval_seconds, one_time run_at."),
]
CronText = Annotated[
    str | None,
    Field(description="minute hour day-of-month month day-of-week, such as 0 9 * * MON-FRI."),
]
Seconds = Annotated[int | None, Field(description="60 to 31622400.")]
At = Annotated[
    AwareDatetime | None, Field(description="A time ahead with its offset: 2026-03-02T10:00+09:00.")
]
ForWhom = Annotated[
    UUID | None, Field(description="The student's UUID; left out: for all students.")
]
Zone = Annotated[str, Field(max_length=64, description="The zone of the cron expression's times.")]
Config = Annotated[dict[str, Any], Field(description="What the task type is to be told.")]
Key = Annotated[
    RequestKey | None,
    Field(description="Names this call, so that sent again it is the same call."),
]


async def schedule_periodic_task(
    schedules: Schedules,
    caller: Caller,
    task_type: TypeName,
    schedule_type: When,
    cron_expression: CronText = None,
    interval_seconds: Seconds = None,
    run_at: At = None,
    student_id: ForWhom = None,
    config: Config = {},  # noqa: B006 (pydantic copies it)
    timezone: Zone = SEOUL,
    idempotency_key: Key = None,
) -> Task:
    """Have the hub do something at set times: reports, analytics, checks of progress.

    Use it for "send me a report on this student every Monday at 8": the answer has the task's id,
    its next three times (UTC) and its status. Times of a cron expression are local times of
    `timezone`. The same call made again within ten minutes gives the same task and makes no
    second one. Teachers name a student whom they see; tasks for all students are for
    administrators and services.
    """
    draft = TaskDraft.model_construct(
        task_type=task_type,
        schedule_type=schedule_type,
        cron_expression=cron_expression,
        interval_seconds=interval_seconds,
        run_at=run_at,
        timezone=timezone,
        student_id=student_id,
        config=config,
    )
    return await schedules.create(caller, draft, idempotency_key)


TOOLS = [
    tool(schedule_periodic_task, title="Schedule a task", read_only=False, idempotent=True),
]
