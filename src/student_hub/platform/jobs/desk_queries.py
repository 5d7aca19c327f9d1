"""What the operators' desk asks of the table of jobs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, literal, select, update

from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.models import JobRow
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.schemas import (
    DeadKind,
    JobError,
    JobFilter,
    Queues,
    QueueState,
    ShownJob,
)
from student_hub.platform.jobs.states import JobState, is_in

STATE = case(*((is_in(state), literal(state.value)) for state in JobState)).label("state")
SHOWN = (
    JobRow.id,
    JobRow.kind,
    JobRow.queue,
    JobRow.payload,
    JobRow.unique_key,
    JobRow.attempts,
    JobRow.most_attempts,
    JobRow.created_at,
    JobRow.not_before.label("due_at"),
    JobRow.started_at,
    JobRow.finished_at,
    JobRow.worker,
    JobRow.last_error,
    JobRow.last_message,
    STATE,
)


async def page(
    tx: Transaction, wanted: JobFilter, before: int | None, limit: int
) -> list[ShownJob]:
    """Jobs that pass every given filter, the newest first, older than the id `before`."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        conditions.append(JobRow.kind == wanted.kind)
    if wanted.queue is not None:
        conditions.append(JobRow.queue == wanted.queue.value)
    if wanted.state is not None:
        conditions.append(is_in(wanted.state))
    if before is not None:
        conditions.append(JobRow.id < before)
    query = select(*SHOWN).where(*conditions).order_by(JobRow.id.desc()).limit(limit)
    return [_shown(row) for row in (await tx.session.execute(query)).mappings()]


async def one(tx: Transaction, job_id: int, *, held: bool = False) -> ShownJob | None:
    """The job, kept from everybody else until the end of the transaction if it is `held`."""
    query = select(*SHOWN).where(JobRow.id == job_id)
    found = await tx.session.execute(query.with_for_update() if held else query)
    row = found.mappings().one_or_none()
    return None if row is None else _shown(row)


async def make_due(tx: Transaction, ids: Sequence[int]) -> None:
    """Makes jobs due now; those that were dead begin to count their attempts anew."""
    attempts = case((JobRow.failed, 0), else_=JobRow.attempts)
    due = {"finished_at": None, "failed": False, "attempts": attempts, "not_before": func.now()}
    await tx.session.execute(update(JobRow).where(JobRow.id.in_(ids)).values(**due))


async def hold_dead(tx: Transaction, kind: str, most: int) -> list[tuple[int, str]]:
    """The oldest dead jobs of the kind, with their queues; those that others hold are left out."""
    dead = select(JobRow.id, JobRow.queue).where(JobRow.failed, JobRow.kind == kind)
    held = dead.order_by(JobRow.id).limit(most).with_for_update(skip_locked=True)
    return [(row.id, row.queue) for row in await tx.session.execute(held)]


async def count_dead(tx: Transaction, kind: str) -> int:
    """How many jobs of the kind are dead."""
    dead = select(func.count()).where(JobRow.failed, JobRow.kind == kind)
    return (await tx.session.execute(dead)).scalar_one()


async def drop(tx: Transaction, job_id: int) -> None:
    """Deletes the job."""
    await tx.session.execute(delete(JobRow).where(JobRow.id == job_id))


async def queues(tx: Transaction) -> Queues:
    """Every queue with what is in it; done jobs are not looked at."""
    states = {queue: QueueState(queue=queue) for queue in Queue}
    for row in await tx.session.execute(_open_jobs()):
        known = states[Queue(row.queue)]
        states[Queue(row.queue)] = known.model_copy(update=_counts(row))
    kinds: dict[str, int] = {}
    for row in await tx.session.execute(_dead_jobs()):
        states[Queue(row.queue)].dead += row.dead
        kinds[row.kind] = kinds.get(row.kind, 0) + row.dead
    dead = [DeadKind(kind=kind, dead=kinds[kind]) for kind in sorted(kinds)]
    return Queues(queues=list(states.values()), dead=dead)


def _open_jobs() -> Select[*tuple[Any, ...]]:
    counts = [
        func.count().filter(is_in(state)).label(state.value)
        for state in (JobState.DUE, JobState.DELAYED, JobState.RUNNING)
    ]
    oldest = func.min(JobRow.not_before).filter(is_in(JobState.DUE))
    lag = func.coalesce(func.extract("epoch", func.now() - oldest), 0).label("lag_s")
    query = select(JobRow.queue, *counts, lag).where(JobRow.finished_at.is_(None))
    return query.group_by(JobRow.queue)


def _dead_jobs() -> Select[*tuple[Any, ...]]:
    query = select(JobRow.queue, JobRow.kind, func.count().label("dead")).where(JobRow.failed)
    return query.group_by(JobRow.queue, JobRow.kind)


def _counts(row: Any) -> dict[str, float]:
    return {
        "due": row.due,
        "delayed": row.delayed,
        "running": row.running,
        "lag_s": round(float(row.lag_s), 3),
    }


def _shown(row: Any) -> ShownJob:
    fields = dict(row)
    kind, message = fields.pop("last_error"), fields.pop("last_message")
    error = None if kind is None else JobError(kind=kind, message=message)
    return ShownJob(error=error, **fields)
