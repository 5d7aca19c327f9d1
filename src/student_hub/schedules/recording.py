"""A handler whose job may have been asked for by a run: the run ends with it."""

from typing import Any, Protocol, TypeVar
from uuid import UUID

from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job, Outside, Run


class FromRun(Job):
    """A job that a run may ask for: `run_id` is its `Due.run_id`, or None when nobody waits."""

    run_id: UUID | None = None


class Runs(Protocol):
    """Where the end of a run's job is said."""

    async def run_ended(self, tx: Transaction, run_id: UUID) -> None: ...


J = TypeVar("J", bound=FromRun)


def recorded(runs: Runs, handler: Handler[J]) -> Handler[J]:
    """The handler; its job's end and the run's record are one transaction.

    A job that is set aside as dead is found by `look_after_runs` within seconds.
    """

    async def recording(job: J) -> Effect | None:
        return _with_record(runs, job, await handler(job))

    return recording


def recorded_outside(runs: Runs, handler: Outside[J]) -> Outside[Any]:
    """The same for a handler with an effect outside of the database."""

    async def recording(job: J, run: Run) -> Effect | None:
        return _with_record(runs, job, await handler.work(job, run))

    return Outside(recording)


def _with_record(runs: Runs, job: FromRun, effect: Effect | None) -> Effect | None:
    run_id = job.run_id
    if run_id is None:
        return effect

    async def both(tx: Transaction) -> None:
        # The effect first: it locks students, and an erasure takes them before their runs.
        if effect is not None:
            await effect(tx)
        await runs.run_ended(tx, run_id)

    return both
