"""Runs the jobs that are due: the frame of every worker."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

import structlog

from student_hub.platform.jobs.blame import database_failed, told_of, was_away
from student_hub.platform.jobs.claim import AlreadyEnded, Claim, LeaseLost
from student_hub.platform.jobs.job import Effect, Handler, Handlers, Job, Outside, Run
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue

RENEWED_IN = 3
"""A lease is renewed when a third of it has passed: two renewals may fail."""
FINISH_WITHIN_S = 60.0
AGAIN_AFTER_S = 0.5
CANCEL_WITHIN_S = 1.0

log = structlog.get_logger()


class Ending(StrEnum):
    """How a run ended: `failed` and `deferred` ones will be repeated, `lost` ones are others'."""

    DONE = "done"
    FAILED = "failed"
    DEFERRED = "deferred"
    DEAD = "dead"
    LOST = "lost"


Observe: TypeAlias = Callable[[str, Ending, float], None]
"""Told of every run: the kind of job, how it ended, and the seconds it took."""


class Workshop:
    """Knows a handler for each kind of job, and leaves kinds that it does not know alone."""

    def __init__(
        self, ledger: Ledger, handlers: Handlers, *, observe: Observe | None = None
    ) -> None:
        self._ledger = ledger
        self._observe = observe
        self._kinds = {job.kind(): (job, handler) for job, handler in handlers.items()}
        if len(self._kinds) != len(handlers):
            raise ValueError("two classes of jobs have one name")

    async def work(self, queue: Queue, *, most: int = 1_000) -> int:
        """Runs what is due on the queue, one after another, at most so many; how many it ran."""
        for done in range(most):
            if not await self.work_one(queue):
                return done
        return most

    async def work_one(self, queue: Queue, found: Callable[[], None] | None = None) -> bool:
        """Runs one job that is due; False when none is. `found` is called before it is run.

        A run that is cancelled gives its job back at once.
        """
        claim = await self._ledger.claim(queue, self._kinds)
        if claim is None:
            return False
        if found is not None:
            found()
        began = time.monotonic()
        try:
            ending = await self._run(claim)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(claim))
            raise
        if self._observe is not None:
            self._observe(claim.kind, ending, time.monotonic() - began)
        return True

    async def _run(self, claim: Claim) -> Ending:
        try:
            kind, handler = self._kinds[claim.kind]
            effect = await self._held(claim, kind, _begun(kind, handler, claim, self._ledger))
            await self._finish(claim, effect)
        except AlreadyEnded:
            return _done(claim)
        except LeaseLost:
            log.warning("job_taken_over", job=claim.id, kind=claim.kind)
            return Ending.LOST
        except Exception as error:
            log.exception("job_failed", job=claim.id, kind=claim.kind, attempt=claim.attempt)
            return await self._put_back(claim, error)
        return _done(claim)

    async def _held(
        self, claim: Claim, kind: type[Job], work: Coroutine[Any, Any, Effect | None]
    ) -> Effect | None:
        """What the handler returns; its lease is renewed meanwhile, and it ends if that is lost."""
        task = asyncio.create_task(work)
        end = time.monotonic() + kind.longest.total_seconds()
        each = self._ledger.lease.total_seconds() / RENEWED_IN
        try:
            while not task.done():
                rest = end - time.monotonic()
                if rest <= 0:
                    raise TimeoutError
                await asyncio.wait({task}, timeout=min(each, rest))
                if not task.done():
                    await self._renew(claim)
            return task.result()
        finally:
            await _cancelled(task)

    async def _renew(self, claim: Claim) -> None:
        try:
            await self._ledger.renew(claim)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 (the lease may last until the database is back)
            log.warning("lease_not_renewed", job=claim.id, reason=type(error).__name__)

    async def _finish(self, claim: Claim, effect: Effect | None) -> None:
        """Writes the end; once more when the database fails, which may have written it already.

        What the handler did outside must not be done again only because of that.
        """
        end = time.monotonic() + FINISH_WITHIN_S
        while True:
            try:
                return await self._ledger.finish(claim, effect)
            except Exception as error:
                if not database_failed(error) or time.monotonic() > end:
                    raise
            await _pause()

    async def _put_back(self, claim: Claim, error: Exception) -> Ending:
        """For later; a database that is away is waited for, as nothing else can be done."""
        told = type(error).__name__, told_of(error)
        while True:
            try:
                # What another is to blame for, who is away, is no attempt at the job.
                if was_away(error):
                    await self._ledger.defer(claim, *told)
                    return Ending.DEFERRED
                again = await self._ledger.postpone(claim, *told)
            except LeaseLost:
                return Ending.LOST
            except Exception as trouble:
                if not database_failed(trouble):
                    raise
            else:
                return Ending.FAILED if again else Ending.DEAD
            await _pause()

    async def _give_back(self, claim: Claim) -> None:
        try:
            await self._ledger.give_back(claim)
        except Exception as error:  # noqa: BLE001 (its lease ends by itself)
            log.warning("job_not_given_back", job=claim.id, reason=type(error).__name__)
        else:
            log.info("job_given_back", job=claim.id, kind=claim.kind)


def _begun(
    kind: type[Job], handler: Handler[Any] | Outside[Any], claim: Claim, ledger: Ledger
) -> Coroutine[Any, Any, Effect | None]:
    async def begun() -> Effect | None:
        job = kind.model_validate(claim.payload)
        if not isinstance(handler, Outside):
            return await handler(job)
        keep = partial(ledger.keep, claim)
        return await handler.work(job, Run(claim.key, claim.attempt, claim.is_last, keep))

    return begun()


async def _cancelled(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_WITHIN_S)
    if task.done() and not task.cancelled():
        task.exception()  # looked at: nobody else will


async def _pause() -> None:
    await asyncio.sleep(AGAIN_AFTER_S * random.uniform(0.5, 1.5))  # noqa: S311 (spreads load)


def _done(claim: Claim) -> Ending:
    log.info("job_done", job=claim.id, kind=claim.kind, attempt=claim.attempt)
    return Ending.DONE
