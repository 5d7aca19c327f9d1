"""Doorbells: a ring says that a queue has work. It names no job, so a lost one costs a second."""

import asyncio
from collections.abc import Callable

import structlog

from student_hub.platform.jobs.queues import Queue

log = structlog.get_logger()


class Doorbell:
    """Rings in a thread of its own; rings that come while one is under way become one."""

    def __init__(self, press: Callable[[Queue], None]) -> None:
        self._press = press
        self._ringing: dict[Queue, asyncio.Task[None]] = {}
        self._again: set[Queue] = set()

    async def ring(self, queue: Queue) -> None:
        """Returns at once; the broker may be slow or away."""
        if queue in self._ringing:
            self._again.add(queue)
            return
        task = asyncio.create_task(self._press_apart(queue))
        self._ringing[queue] = task

    async def _press_apart(self, queue: Queue) -> None:
        try:
            await asyncio.to_thread(self._press, queue)
        except Exception as error:  # noqa: BLE001 (whatever a broker does, the commit stands)
            log.warning("doorbell_failed", queue=queue.value, reason=type(error).__name__)
        finally:
            del self._ringing[queue]
        if queue in self._again:
            self._again.discard(queue)
            await self.ring(queue)

    async def close(self) -> None:
        """Waits for rings under way."""
        self._again.clear()
        await asyncio.gather(*self._ringing.values(), return_exceptions=True)
