"""Reads and writes of `scheduled_task_runs`; the ledger is read, to see which jobs are dead."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Transaction
from student_hub.platform.ids import first_id
from student_hub.schedules.models import RunRow
from student_hub.schedules.schemas import Outcome

PREFIX = "task_run:"
PER_PRUNING = 5_000
# A job that is dead makes its part of the run failed. A run whose first job an operator dropped
# will never end by itself. What was dead and is tried again counts when it is done.
SWEEP = text(
    """
    WITH dead AS (
        SELECT split_part(unique_key, ':', 2)::uuid AS run, count(*) AS failed,
            min(last_error) AS reason
        FROM jobs WHERE failed AND finished_at IS NOT NULL
            AND unique_key ~ '^task_run:[0-9a-f-]{36}(:|$)'
        GROUP BY 1
    ), found AS (
        SELECT id, dead.failed, dead.reason
        FROM scheduled_task_runs JOIN dead ON dead.run = id
        WHERE outcome IS NULL
        UNION ALL
        SELECT id, total - done, 'job_dropped'
        FROM scheduled_task_runs AS alone
        WHERE outcome IS NULL AND total = 1
            AND NOT EXISTS (SELECT FROM jobs WHERE unique_key = 'task_run:' || alone.id)
    )
    UPDATE scheduled_task_runs AS run
    SET failed = least(found.failed, run.total - run.done), reason = left(found.reason, 100),
        outcome = CASE WHEN run.done + found.failed >= run.total THEN 'failed' END,
        finished_at = CASE WHEN run.done + found.failed >= run.total THEN now() END
    FROM found WHERE run.id = found.id AND run.outcome IS NULL
    RETURNING run.outcome
    """
)


def run_key(run_id: UUID, part: object = None) -> str:
    """The unique key in the ledger of a run's job, or of one of its parts."""
    return f"{PREFIX}{run_id}" if part is None else f"{PREFIX}{run_id}:{part}"


async def add(tx: Transaction, runs: Sequence[dict[str, Any]]) -> set[UUID]:
    """Stores runs; which of them are new, and not for a time that has one."""
    new = insert(RunRow).values(list(runs)).on_conflict_do_nothing()
    return set(await tx.session.scalars(new.returning(RunRow.id)))


async def spread(tx: Transaction, run_id: UUID, parts: int) -> None:
    """The run has so many jobs; with none it is done."""
    values: dict[str, object] = {"total": parts}
    if not parts:
        values |= {"outcome": Outcome.DONE.value, "finished_at": func.now()}
    await tx.session.execute(update(RunRow).where(RunRow.id == run_id).values(**values))


async def part_done(tx: Transaction, run_id: UUID) -> None:
    """One more of the run's jobs has ended well; the last one ends the run."""
    done = RunRow.done + 1
    failed = func.least(RunRow.failed, RunRow.total - done)
    ended = done + failed >= RunRow.total
    outcome = case(
        (done >= RunRow.total, Outcome.DONE.value), (ended, Outcome.FAILED.value), else_=None
    )
    reason = case((done >= RunRow.total, None), else_=RunRow.reason)
    finished = case((ended, func.now()), else_=None)
    values = {"done": done, "failed": failed, "outcome": outcome, "reason": reason}
    mine = (RunRow.id == run_id, RunRow.done < RunRow.total)
    await tx.session.execute(update(RunRow).where(*mine).values(**values, finished_at=finished))


async def sweep(tx: Transaction) -> int:
    """Fails runs whose jobs are dead or dropped; how many of them ended by that."""
    return sum(outcome is not None for outcome in await tx.session.scalars(SWEEP))


async def prune(tx: Transaction, before: datetime) -> int:
    """Deletes ended runs that began before then, some thousands at most; how many."""
    old = (RunRow.id < first_id(before), RunRow.outcome.is_not(None))
    some = select(RunRow.id).where(*old).order_by(RunRow.id).limit(PER_PRUNING)
    gone = await tx.session.scalars(delete(RunRow).where(RunRow.id.in_(some)).returning(RunRow.id))
    return len(gone.all())


async def has_open_call(tx: Transaction, task_id: UUID) -> bool:
    """Whether a run that somebody asked for has not ended."""
    mine = (RunRow.task_id == task_id, RunRow.run_now, RunRow.outcome.is_(None))
    return (await tx.session.execute(select(RunRow.id).where(*mine).limit(1))).first() is not None


async def one(tx: Transaction, run_id: UUID) -> RunRow | None:
    return (await tx.session.scalars(select(RunRow).where(RunRow.id == run_id))).one_or_none()


async def page(
    tx: Transaction, task_id: UUID, before: datetime | None, limit: int
) -> Sequence[RunRow]:
    """Runs of the task, the newest time first."""
    query = select(RunRow).where(RunRow.task_id == task_id)
    if before is not None:
        query = query.where(RunRow.scheduled_for < before)
    return (
        await tx.session.scalars(query.order_by(RunRow.scheduled_for.desc()).limit(limit))
    ).all()
