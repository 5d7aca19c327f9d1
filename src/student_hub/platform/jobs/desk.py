"""The operators' desk: what they see of the ledger, and what they do about dead jobs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import HubError, InvalidInput, Kind, NotAllowed
from student_hub.platform.jobs import desk_queries as queries
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.schemas import JobFilter, JobPage, Queues, Retried, ShownJob
from student_hub.platform.jobs.states import JobState
from student_hub.platform.security.caller import Caller, Scope

MOST_LISTED = 200
MOST_RETRIED = 1_000
EVERY_JOB = JobFilter()
OPEN = frozenset({JobState.DEAD, JobState.DELAYED, JobState.DUE})
"""States in which nobody is at the job and it has not been done."""

Detail: TypeAlias = Mapping[str, str | int]


class Deed(StrEnum):
    """What an operator does."""

    READ = "read"
    RETRY = "retry"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Witness:
    """Who is told of it: `note` in the transaction of a change, `saw` before an answer leaves."""

    note: Callable[[Transaction, Caller, Deed, Detail], Awaitable[None]]
    saw: Callable[[Caller, Deed, Detail], None]
    refused: Callable[[Caller, Deed], None]


class JobNotFound(HubError):
    """There is no job {job_id}: it never was, was dropped, or was done over a week ago."""

    kind = Kind.NOT_FOUND


class JobNotOpen(HubError):
    """The job {job_id} is {state}: only one that is dead, delayed or due can be changed."""

    kind = Kind.CONFLICT


class JobDesk:
    """Lists, reads, retries and drops jobs, for callers with the scope `admin`."""

    def __init__(self, db: Database, bell: Doorbell, witness: Witness) -> None:
        self._db = db
        self._bell = bell
        self._witness = witness

    async def page(
        self,
        caller: Caller,
        wanted: JobFilter = EVERY_JOB,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> JobPage:
        """A page of at most 200 jobs that pass every given filter, the newest first."""
        self._require_admin(caller, Deed.READ)
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
        async with self._db.transaction() as tx:
            found = await queries.page(tx, wanted, _position(cursor), limit + 1)
        shown = found[:limit]
        self._witness.saw(caller, Deed.READ, {"jobs": len(shown)})
        return JobPage(jobs=shown, next=str(shown[-1].id) if len(found) > limit else None)

    async def read(self, caller: Caller, job_id: int) -> ShownJob:
        """The job; JobNotFound when there is none."""
        self._require_admin(caller, Deed.READ)
        async with self._db.transaction() as tx:
            found = await queries.one(tx, job_id)
        if found is None:
            raise JobNotFound(job_id=job_id)
        self._witness.saw(caller, Deed.READ, _about(found))
        return found

    async def queues(self, caller: Caller) -> Queues:
        """Every queue, and which kinds of jobs are dead."""
        self._require_admin(caller, Deed.READ)
        return await self.figures()

    async def figures(self) -> Queues:
        """The same, for the hub's own metrics."""
        async with self._db.transaction() as tx:
            return await queries.queues(tx)

    async def retry(self, caller: Caller, job_id: int) -> ShownJob:
        """The job, due now; a dead one has all its attempts again.

        JobNotFound; JobNotOpen when it is running or done.
        """
        self._require_admin(caller, Deed.RETRY)
        async with self._db.transaction() as tx:
            before = await self._held(tx, job_id)
            await queries.make_due(tx, [job_id])
            await self._witness.note(tx, caller, Deed.RETRY, _about(before))
            self._ring_after(tx, before.queue)
            after = await queries.one(tx, job_id)
        return after or before

    async def retry_dead(self, caller: Caller, kind: str) -> Retried:
        """Makes at most 1,000 dead jobs of the kind due now, the oldest first."""
        self._require_admin(caller, Deed.RETRY)
        async with self._db.transaction() as tx:
            dead = await queries.hold_dead(tx, kind, MOST_RETRIED)
            await queries.make_due(tx, [job_id for job_id, _ in dead])
            for queue in {queue for _, queue in dead}:
                self._ring_after(tx, Queue(queue))
            left = await queries.count_dead(tx, kind)
            await self._witness.note(tx, caller, Deed.RETRY, {"kind": kind, "jobs": len(dead)})
        return Retried(retried=len(dead), left=left)

    async def drop(self, caller: Caller, job_id: int) -> ShownJob:
        """The job as it was: it is no more, and its unique key is free.

        JobNotFound; JobNotOpen when it is running or done.
        """
        self._require_admin(caller, Deed.DROP)
        async with self._db.transaction() as tx:
            job = await self._held(tx, job_id)
            await queries.drop(tx, job_id)
            await self._witness.note(tx, caller, Deed.DROP, _about(job))
        return job

    async def _held(self, tx: Transaction, job_id: int) -> ShownJob:
        job = await queries.one(tx, job_id, held=True)
        if job is None:
            raise JobNotFound(job_id=job_id)
        if job.state not in OPEN:
            raise JobNotOpen(job_id=job_id, state=job.state.value)
        return job

    def _ring_after(self, tx: Transaction, queue: Queue) -> None:
        tx.after_commit(lambda: self._bell.ring(queue))

    def _require_admin(self, caller: Caller, deed: Deed) -> None:
        try:
            caller.require(Scope.ADMIN)
        except NotAllowed:
            self._witness.refused(caller, deed)
            raise


def _about(job: ShownJob) -> Detail:
    return {"job": job.id, "kind": job.kind, "state": job.state.value}


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < len(str(2**63))):
        raise InvalidInput.field("cursor", "is not one that a page gave")
    return int(cursor)
