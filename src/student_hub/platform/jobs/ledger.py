"""The ledger: jobs are rows, claimed with SKIP LOCKED and ended together with their effect."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Float, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.job import Effect, Job
from student_hub.platform.jobs.models import JobRow
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.security.caller import SYSTEM

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12
SHORTEST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
KEPT = timedelta(days=7)

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker has taken the job over; nothing of this run is kept."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in hand: `attempt` counts from 1 and fences off an older run of the same job."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempt: int


class Ledger:
    """Where jobs are put and from where they are taken."""

    def __init__(self, db: Database, bell: Doorbell, *, random: Random | None = None) -> None:
        self._db = db
        self._bell = bell
        self._random = random or Random()  # noqa: S311 (spreads load)

    async def put(
        self,
        tx: Transaction,
        job: Job,
        *,
        unique_key: str | None = None,
        after: timedelta = timedelta(0),
    ) -> bool:
        """Writes the job in the caller's transaction; False when its unique key is known.

        It is not due before `after` has passed.
        """
        row = {
            "queue": job.queue.value,
            "kind": job.kind(),
            "payload": job.model_dump(mode="json"),
            "unique_key": unique_key,
            "not_before": func.now() + after,
        }
        statement = insert(JobRow).values(row).on_conflict_do_nothing(index_elements=["unique_key"])
        written = await tx.session.execute(statement.returning(JobRow.id))
        if written.scalar_one_or_none() is None:
            return False
        tx.after_commit(lambda: self._bell.ring(job.queue))
        return True

    async def claim(self, queue: Queue) -> Claim | None:
        """Takes the oldest due job of the queue for a minute; None when nothing is due.

        A job whose every attempt ended with its worker is set aside here, as nobody else would.
        """
        while True:
            async with self._db.transaction() as tx:
                claim = await self._take(tx, queue)
                if claim is None or claim.attempt <= MOST_ATTEMPTS:
                    return claim
                await self._set_aside(tx, claim, "LeaseLost")

    async def _take(self, tx: Transaction, queue: Queue) -> Claim | None:
        due = (
            select(JobRow.id)
            .where(JobRow.queue == queue.value, *_due())
            .order_by(JobRow.not_before, JobRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        taken = (
            update(JobRow)
            .where(JobRow.id == due)
            .values(leased_until=func.now() + LEASE, attempts=JobRow.attempts + 1)
            .returning(JobRow.id, JobRow.kind, JobRow.payload, JobRow.attempts)
        )
        row = (await tx.session.execute(taken)).one_or_none()
        return None if row is None else Claim(row.id, row.kind, row.payload, row.attempts)

    async def waiting(self) -> int:
        """How many jobs have not ended yet."""
        open_jobs = select(func.count()).where(JobRow.finished_at.is_(None))
        async with self._db.transaction() as tx:
            return (await tx.session.execute(open_jobs)).scalar_one()

    async def finish(self, claim: Claim, effect: Effect | None) -> None:
        """Writes the effect and the job's end in one transaction; LeaseLost undoes both."""
        async with self._db.transaction(SYSTEM) as tx:
            await self._end(tx, claim, finished_at=func.now(), leased_until=None)
            if effect is not None:
                await effect(tx)

    async def postpone(self, claim: Claim, reason: str) -> None:
        """Puts a failed job back for later (exponential, full jitter), or sets it aside as dead."""
        wait = self._random.uniform(0, min(LONGEST_WAIT.total_seconds(), 2**claim.attempt))
        async with self._db.transaction() as tx:
            if claim.attempt >= MOST_ATTEMPTS:
                await self._set_aside(tx, claim, reason)
            else:
                due = func.now() + timedelta(seconds=wait)
                await self._end(tx, claim, leased_until=None, last_error=reason, not_before=due)

    async def defer(self, claim: Claim, reason: str) -> None:
        """Puts back a job that could not be tried, as often as it takes: no attempt is counted.

        It waits for at most as long as it is old (full jitter), and never over 15 minutes.
        """
        age = func.greatest(SHORTEST_WAIT, func.now() - JobRow.created_at)
        share = literal(self._random.uniform(0.0, 1.0), Float)
        async with self._db.transaction() as tx:
            await self._end(
                tx,
                claim,
                attempts=claim.attempt - 1,
                leased_until=None,
                last_error=reason,
                not_before=func.now() + func.least(LONGEST_WAIT, age) * share,
            )

    async def prune(self, tx: Transaction) -> int:
        """Deletes jobs that were done over a week ago, not failed ones; how many."""
        old = (JobRow.finished_at < func.now() - KEPT, JobRow.failed.is_(False))
        gone = await tx.session.execute(delete(JobRow).where(*old).returning(JobRow.id))
        return len(gone.all())

    async def _set_aside(self, tx: Transaction, claim: Claim, reason: str) -> None:
        ended = {"finished_at": func.now(), "failed": True, "leased_until": None}
        await self._end(tx, claim, last_error=reason, **ended)
        log.error("job_set_aside", job=claim.id, kind=claim.kind, reason=reason)

    async def _end(self, tx: Transaction, claim: Claim, **values: object) -> None:
        mine = (JobRow.id == claim.id, JobRow.attempts == claim.attempt)
        statement = update(JobRow).where(*mine, JobRow.finished_at.is_(None)).values(**values)
        ended = await tx.session.execute(statement.returning(JobRow.id))
        if ended.scalar_one_or_none() is None:
            raise LeaseLost(claim.id)


def _due() -> tuple[ColumnElement[bool], ...]:
    free = or_(JobRow.leased_until.is_(None), JobRow.leased_until < func.now())
    return JobRow.finished_at.is_(None), JobRow.not_before <= func.now(), free
