"""/v1/tasks: what runs when, and what came of it (scope plan to change it)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from student_hub.platform.http.deps import CallerDep, part
from student_hub.schedules.schemas import (
    NewTask,
    RunPage,
    Task,
    TaskFilter,
    TaskId,
    TaskPage,
    TaskRun,
)
from student_hub.schedules.service import MOST_LISTED, Schedules

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])
FILTERS = frozenset(TaskFilter.model_fields)
SchedulesDep = Annotated[Schedules, part(Schedules)]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]


class Wanted(TaskFilter):
    """Which page of which tasks."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 50


@router.post("", status_code=201, summary="Schedule a task")
async def create_task(task: NewTask, schedules: SchedulesDep, caller: CallerDep) -> Task:
    """Stores a task; the same call within ten minutes, or under its key, is answered as before."""
    return await schedules.create(caller, task.draft(), task.idempotency_key)


@router.get("", summary="List tasks, filtered and in pages")
async def list_tasks(
    wanted: Annotated[Wanted, Query()], schedules: SchedulesDep, caller: CallerDep
) -> TaskPage:
    """Lists tasks, the newest first."""
    chosen = TaskFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await schedules.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@router.get("/{task_id}", summary="Read a task")
async def read_task(task_id: TaskId, schedules: SchedulesDep, caller: CallerDep) -> Task:
    """Reads one task with its next three times."""
    return await schedules.read(caller, task_id)


@router.get("/{task_id}/runs", summary="List the runs of a task")
async def list_runs(
    task_id: TaskId,
    schedules: SchedulesDep,
    caller: CallerDep,
    cursor: str | None = None,
    limit: Limit = 50,
) -> RunPage:
    """Lists runs with their outcome and duration, the newest first."""
    return await schedules.runs(caller, task_id, cursor=cursor, limit=limit)


@router.post("/{task_id}/pause", summary="Pause a task")
async def pause_task(task_id: TaskId, schedules: SchedulesDep, caller: CallerDep) -> Task:
    """Pauses a task; its times are not made up for."""
    return await schedules.pause(caller, task_id)


@router.post("/{task_id}/resume", summary="Go on with a paused task")
async def resume_task(task_id: TaskId, schedules: SchedulesDep, caller: CallerDep) -> Task:
    """Goes on at the task's next time; a single time that has passed is fired at once."""
    return await schedules.resume(caller, task_id)


@router.post("/{task_id}/cancel", summary="Cancel a task")
async def cancel_task(task_id: TaskId, schedules: SchedulesDep, caller: CallerDep) -> Task:
    """Cancels a task for good; it can still be read."""
    return await schedules.cancel(caller, task_id)


@router.post("/{task_id}/run-now", status_code=202, summary="Run a task now")
async def run_task(task_id: TaskId, schedules: SchedulesDep, caller: CallerDep) -> TaskRun:
    """Begins a run beside the task's times; 409 while the last such run has not ended."""
    return await schedules.run_now(caller, task_id)
