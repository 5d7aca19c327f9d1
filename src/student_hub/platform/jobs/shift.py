"""A worker process at work: so many jobs at a time from each queue, until it is told to leave."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.rounds import Round, Rounds
from student_hub.platform.jobs.workshop import Workshop

POLL_S = 1.0
SPREAD = 0.25
log = structlog.get_logger()


class Shift:
    """Works on each queue in as many places as it has, so that no backlog takes another's.

    Who finds nothing due looks again after about a second, or at once when a bell rings. A
    database that is away is asked again until it is back.
    """

    def __init__(
        self,
        workshop: Workshop,
        places: Mapping[Queue, int],
        rounds: Sequence[Round] = (),
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._workshop = workshop
        self._places = places
        self._poll_s = poll_s
        self._rung = {queue: asyncio.Event() for queue in places}
        self._leaving = asyncio.Event()
        self._rounds = Rounds(rounds)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins in the running loop."""
        self._rounds.start()
        self._tasks = [
            asyncio.create_task(self._work(queue))
            for queue, places in self._places.items()
            for _ in range(places)
        ]

    def ring(self, queue: Queue) -> None:
        """Says that the queue has work; nothing when its work is others'."""
        if queue in self._rung:
            self._rung[queue].set()

    def call(self) -> None:
        """Every round is due now."""
        self._rounds.call()

    def leave(self) -> None:
        """From now on nothing is begun; what is under way goes on."""
        self._leaving.set()
        for rung in self._rung.values():
            rung.set()

    async def stop(self, grace_s: float) -> None:
        """Waits for what is under way, at most so long; what is left is given back to others."""
        self.leave()
        await self._rounds.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self, queue: Queue) -> None:
        rung = self._rung[queue]
        while not self._leaving.is_set():
            rung.clear()
            if not await self._find(queue, rung):
                with suppress(TimeoutError):
                    # Without the spread, places and processes would all ask at the same moment.
                    wait_s = self._poll_s * random.uniform(1 - SPREAD, 1)  # noqa: S311
                    await asyncio.wait_for(rung.wait(), wait_s)

    async def _find(self, queue: Queue, rung: asyncio.Event) -> bool:
        try:
            # Where one job was, there may be another: a second place need not wait to see it.
            return await self._workshop.work_one(queue, found=rung.set)
        except Exception as error:  # noqa: BLE001 (whatever it is, the place must stay manned)
            log.warning("no_job_to_be_had", queue=queue.value, reason=type(error).__name__)
            return False
