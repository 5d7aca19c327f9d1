"""The ledger: jobs are rows, claimed with SKIP LOCKED and ended together with their effect."""

import os
import re
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, TypeVar

import structlog
from sqlalchemy import Float, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.claim import CLAIMED, AlreadyEnded, Claim, LeaseLost
from student_hub.platform.jobs.job import Effect, Job
from student_hub.platform.jobs.models import JobRow
from student_hub.platform.jobs.payloads import WORD, require_small
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.states import is_due
from student_hub.platform.security.caller import SYSTEM

LEASE = timedelta(seconds=15)
SHORTEST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
KEPT = timedelta(days=7)
AT_ONCE = timedelta(0)
PER_STATEMENT = 1_000

T = TypeVar("T")
J = TypeVar("J", bound=Job)
log = structlog.get_logger()


class Ledger:
    """Where jobs are put and from where they are taken.

    A claimed job is its worker's for as long as the lease is renewed; a worker that dies loses it
    when the lease ends.
    """

    def __init__(
        self,
        db: Database,
        bell: Doorbell,
        *,
        random: Random | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        self._db = db
        self._bell = bell
        self._random = random or Random()  # noqa: S311 (spreads load)
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self.lease = lease

    async def put(
        self,
        tx: Transaction,
        job: Job,
        *,
        unique_key: str | None = None,
        after: timedelta = AT_ONCE,
        at: datetime | None = None,
    ) -> bool:
        """Writes the job in the caller's transaction; False when its unique key is known.

        It is not due before `after` has passed, or before the time `at`. A unique key is known for
        as long as the job is: until a week after it was done, or until an operator drops it.
        """
        keyed = None if unique_key is None else lambda _: unique_key
        return await self.put_all(tx, [job], unique_key=keyed, after=after, at=at) == 1

    async def put_all(
        self,
        tx: Transaction,
        jobs: Iterable[J],
        *,
        unique_key: Callable[[J], str] | None = None,
        after: timedelta = AT_ONCE,
        at: datetime | None = None,
    ) -> int:
        """Writes the jobs as `put` does; how many of them were new."""
        due = at or func.now() + after
        queues: set[str] = set()
        written = 0
        for some in _in_parts(jobs, PER_STATEMENT):
            rows = [_row(job, unique_key(job) if unique_key else None) for job in some]
            asked = insert(JobRow).values([{**row, "not_before": due} for row in rows])
            new = asked.on_conflict_do_nothing(index_elements=["unique_key"])
            put = (await tx.session.execute(new.returning(JobRow.queue))).scalars().all()
            queues.update(put)
            written += len(put)
        for queue in queues:
            self._ring_after(tx, Queue(queue))
        return written

    async def claim(self, queue: Queue, kinds: Collection[str] | None = None) -> Claim | None:
        """Takes the job of the queue that has been due for longest; None when nothing is due.

        Of these kinds, when they are given: a worker leaves what it does not know to newer ones.
        A job whose every attempt ended with its worker is set aside here, as nobody else would.
        """
        while True:
            async with self._db.transaction() as tx:
                claim = await self._take(tx, queue, kinds)
                if claim is None or claim.attempt <= claim.most_attempts:
                    return claim
                await self._set_aside(tx, claim, "LeaseLost", "every run ended with its worker")

    async def _take(
        self, tx: Transaction, queue: Queue, kinds: Collection[str] | None
    ) -> Claim | None:
        wanted = is_due() if kinds is None else is_due() & JobRow.kind.in_(sorted(kinds))
        due = (
            select(JobRow.id)
            .where(JobRow.queue == queue.value, wanted)
            .order_by(JobRow.not_before, JobRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        taken = (
            update(JobRow)
            .where(JobRow.id == due)
            .values(
                leased_until=func.now() + self.lease,
                attempts=JobRow.attempts + 1,
                runs=JobRow.runs + 1,
                started_at=func.now(),
                worker=self._worker,
            )
            .returning(*CLAIMED)
        )
        row = (await tx.session.execute(taken)).one_or_none()
        return None if row is None else Claim(*row)

    async def waiting(self) -> int:
        """How many jobs have not ended yet."""
        open_jobs = select(func.count()).where(JobRow.finished_at.is_(None))
        async with self._db.transaction() as tx:
            return (await tx.session.execute(open_jobs)).scalar_one()

    async def renew(self, claim: Claim) -> None:
        """Keeps the job in these hands for another lease; LeaseLost when it is in others."""
        async with self._db.transaction() as tx:
            await self._end(tx, claim, leased_until=func.now() + self.lease)

    async def keep(self, claim: Claim, effect: Effect) -> None:
        """Writes something of a run before its end; LeaseLost undoes it."""
        async with self._db.transaction(SYSTEM) as tx:
            await self._end(tx, claim, leased_until=func.now() + self.lease)
            await effect(tx)

    async def finish(self, claim: Claim, effect: Effect | None) -> None:
        """Writes the effect and the job's end in one transaction; LeaseLost undoes both.

        AlreadyEnded when this very run has written its end before: nothing is left to do.
        """
        async with self._db.transaction(SYSTEM) as tx:
            await self._end(tx, claim, finished_at=func.now(), leased_until=None)
            if effect is not None:
                await effect(tx)

    async def postpone(self, claim: Claim, reason: str, message: str | None = None) -> bool:
        """Puts a failed job back for later (exponential, full jitter), or sets it aside as dead.

        Whether it is due again.
        """
        wait = self._random.uniform(0, min(LONGEST_WAIT.total_seconds(), 2.0**claim.attempt))
        async with self._db.transaction() as tx:
            if claim.is_last:
                await self._set_aside(tx, claim, reason, message)
                return False
            due = func.now() + timedelta(seconds=wait)
            why = {"last_error": reason, "last_message": message}
            await self._let_go(tx, claim, not_before=due, **why)
            return True

    async def defer(self, claim: Claim, reason: str, message: str | None = None) -> None:
        """Puts back a job that could not be tried, as often as it takes: no attempt is counted.

        It waits for at most as long as it is old (full jitter), and never over 15 minutes.
        """
        age = func.greatest(SHORTEST_WAIT, func.now() - JobRow.created_at)
        share = literal(self._random.uniform(0.0, 1.0), Float)
        async with self._db.transaction() as tx:
            await self._let_go(
                tx,
                claim,
                attempts=claim.attempt - 1,
                last_error=reason,
                last_message=message,
                not_before=func.now() + func.least(LONGEST_WAIT, age) * share,
            )

    async def give_back(self, claim: Claim) -> None:
        """Lets go of a job that was broken off: another worker may take it at once.

        It keeps its place in the queue, and no attempt is counted.
        """
        async with self._db.transaction() as tx:
            await self._let_go(tx, claim, attempts=claim.attempt - 1)
            self._ring_after(tx, claim.queue)

    async def prune(self, tx: Transaction) -> int:
        """Deletes jobs that were done over a week ago, not failed ones; how many."""
        old = (JobRow.finished_at < func.now() - KEPT, JobRow.failed.is_(False))
        gone = await tx.session.execute(delete(JobRow).where(*old).returning(JobRow.id))
        return len(gone.all())

    def _ring_after(self, tx: Transaction, queue: Queue) -> None:
        tx.after_commit(lambda: self._bell.ring(queue))

    async def _set_aside(
        self, tx: Transaction, claim: Claim, reason: str, message: str | None
    ) -> None:
        dead = {"finished_at": func.now(), "failed": True}
        await self._let_go(tx, claim, last_error=reason, last_message=message, **dead)
        log.error("job_set_aside", job=claim.id, kind=claim.kind, reason=reason)

    async def _let_go(self, tx: Transaction, claim: Claim, **values: object) -> None:
        # A higher number shuts out whatever is left of this run, such as a thread of its own.
        await self._end(tx, claim, leased_until=None, runs=claim.run + 1, **values)

    async def _end(self, tx: Transaction, claim: Claim, **values: object) -> None:
        mine = (JobRow.runs == claim.run, JobRow.attempts == claim.attempt)
        still = (JobRow.id == claim.id, *mine, JobRow.finished_at.is_(None))
        ended = await tx.session.execute(
            update(JobRow).where(*still).values(**values).returning(JobRow.id)
        )
        if ended.scalar_one_or_none() is None:
            done = select(JobRow.id).where(JobRow.id == claim.id, *mine, JobRow.failed.is_(False))
            found = await tx.session.execute(done)
            raise LeaseLost(claim.id) if found.one_or_none() is None else AlreadyEnded(claim.id)


def _row(job: Job, unique_key: str | None) -> dict[str, Any]:
    kind, payload = job.kind(), job.model_dump(mode="json")
    require_small(kind, payload)
    if unique_key is not None and not re.fullmatch(WORD, unique_key):
        raise ValueError(f"the unique key of a job {kind} is made of ids and words of the program")
    return {
        "queue": job.queue.value,
        "kind": kind,
        "payload": payload,
        "unique_key": unique_key,
        "most_attempts": job.most_attempts,
    }


def _in_parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
