"""Runs the jobs that are due: the frame of every worker."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog

from student_hub.platform.errors import HubError, Kind
from student_hub.platform.jobs.job import Handler, Job
from student_hub.platform.jobs.ledger import LEASE, Claim, LeaseLost, Ledger
from student_hub.platform.jobs.queues import Queue

log = structlog.get_logger()


class Workshop:
    """Knows a handler for each kind of job."""

    def __init__(self, ledger: Ledger, handlers: Mapping[type[Job], Handler[Any]]) -> None:
        self._ledger = ledger
        self._kinds = {job.kind(): (job, handler) for job, handler in handlers.items()}

    async def work(self, queue: Queue, *, most: int = 1_000) -> int:
        """Runs what is due on the queue, one after another, at most so many; how many it ran."""
        for done in range(most):
            claim = await self._ledger.claim(queue)
            if claim is None:
                return done
            await self._run(claim)
        return most

    async def _run(self, claim: Claim) -> None:
        try:
            async with asyncio.timeout(LEASE.total_seconds() * 0.8):
                kind, handler = self._kinds[claim.kind]
                effect = await handler(kind.model_validate(claim.payload))
            await self._ledger.finish(claim, effect)
        except LeaseLost:
            log.warning("job_taken_over", job=claim.id, kind=claim.kind)
        except Exception as error:
            log.exception("job_failed", job=claim.id, kind=claim.kind, attempt=claim.attempt)
            with suppress(LeaseLost):
                await self._put_back(claim, error)
        else:
            log.info("job_done", job=claim.id, kind=claim.kind, attempt=claim.attempt)

    async def _put_back(self, claim: Claim, error: Exception) -> None:
        # What another is to blame for, who is away, is no attempt at the job.
        away = isinstance(error, HubError) and error.kind in {Kind.UNAVAILABLE, Kind.AWAY}
        put_back = self._ledger.defer if away else self._ledger.postpone
        await put_back(claim, type(error).__name__)
