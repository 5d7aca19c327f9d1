"""What a worker process does again and again beside its jobs, such as asking for the day's work."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

EARLIEST = 0.9
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Round:
    """Something for every worker process to do each so many seconds; it must bear company.

    Several processes do it at the same time: unique keys, or SKIP LOCKED, make one thing of it.
    """

    name: str
    every_s: float
    do: Callable[[], Awaitable[object]]


class Rounds:
    """Does each round at once and then each so many seconds, whatever becomes of the others."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = rounds
        self._calls = {each.name: asyncio.Event() for each in rounds}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins in the running loop."""
        self._tasks = [asyncio.create_task(self._go(each)) for each in self._rounds]

    def call(self) -> None:
        """Every round is due now; its time counts from here."""
        for called in self._calls.values():
            called.set()

    async def stop(self) -> None:
        """Breaks off what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _go(self, this: Round) -> None:
        called = self._calls[this.name]
        while True:
            called.clear()
            try:
                await this.do()
            except Exception as error:  # noqa: BLE001 (the next round may find it mended)
                log.warning("round_failed", round=this.name, reason=type(error).__name__)
            with suppress(TimeoutError):
                # Processes that were started together do not stay together.
                share = random.uniform(EARLIEST, 1.0)  # noqa: S311 (spreads load)
                await asyncio.wait_for(called.wait(), this.every_s * share)
