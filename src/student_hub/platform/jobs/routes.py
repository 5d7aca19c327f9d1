"""/admin/jobs: what the hub does in the background, and what failed of it (scope admin)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.jobs.desk import MOST_LISTED, JobDesk
from student_hub.platform.jobs.schemas import (
    JobFilter,
    JobKind,
    JobPage,
    Queues,
    Retried,
    ShownJob,
)

router = APIRouter(prefix="/admin/jobs", tags=["jobs"])
FILTERS = frozenset(JobFilter.model_fields)
DeskDep = Annotated[JobDesk, part(JobDesk)]
JobId = Annotated[int, Path(ge=1, lt=2**63)]


class Wanted(JobFilter):
    """Which page of which jobs."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 50


@router.get("", summary="List jobs, filtered and in pages")
async def list_jobs(
    wanted: Annotated[Wanted, Query()], desk: DeskDep, caller: CallerDep
) -> JobPage:
    """Lists jobs, the newest first; with `state=dead` those that an operator has to look at."""
    chosen = JobFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await desk.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@router.get("/queues", summary="See the queues")
async def read_queues(desk: DeskDep, caller: CallerDep) -> Queues:
    """Says how many jobs are in which state, and for how long the oldest due one has waited."""
    return await desk.queues(caller)


@router.post("/retry", summary="Retry the dead jobs of a kind")
async def retry_dead_jobs(
    kind: Annotated[JobKind, Query(description="Such as forward_events.")],
    desk: DeskDep,
    caller: CallerDep,
) -> Retried:
    """Makes at most 1,000 of them due now; `left` says how many are still dead."""
    return await desk.retry_dead(caller, kind)


@router.get("/{job_id}", summary="Read a job")
async def read_job(job_id: JobId, desk: DeskDep, caller: CallerDep) -> ShownJob:
    """Says what the job is about, how often it was tried and why it last failed."""
    return await desk.read(caller, job_id)


@router.post("/{job_id}/retry", summary="Retry a job now")
async def retry_job(job_id: JobId, desk: DeskDep, caller: CallerDep) -> ShownJob:
    """Makes a dead or waiting job due now; 409 when it is running or done."""
    return await desk.retry(caller, job_id)


@router.delete("/{job_id}", summary="Drop a job: it will not be done")
async def drop_job(job_id: JobId, desk: DeskDep, caller: CallerDep) -> ShownJob:
    """Deletes a dead or waiting job and answers with what it was; 409 when it is running or done.

    What the job was to do stays undone, and its unique key is free again.
    """
    return await desk.drop(caller, job_id)
