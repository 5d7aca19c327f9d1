"""One flight for all who want the same thing at the same time, in this process."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Flights(Generic[V]):
    """Shares the work of concurrent callers; it goes on when any of them, or all, go away."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[V]] = {}

    async def join(self, name: str, depart: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What the flight of that name brings, or raises; the first caller's `depart` starts it."""
        return await asyncio.shield(self.start(name, depart))

    def start(self, name: str, depart: Callable[[], Coroutine[Any, Any, V]]) -> asyncio.Task[V]:
        """The flight of that name, which nobody has to wait for."""
        task = self._flying.get(name)
        if task is None:
            task = asyncio.create_task(depart())
            self._flying[name] = task
            task.add_done_callback(lambda done: self._land(name, done))
        return task

    @property
    def in_flight(self) -> int:
        """How many flights there are now."""
        return len(self._flying)

    async def settle(self) -> None:
        """Waits for all flights, however they end."""
        await asyncio.gather(*self._flying.values(), return_exceptions=True)

    async def close(self) -> None:
        """Ends all flights."""
        flying = list(self._flying.values())
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    def _land(self, name: str, task: asyncio.Task[V]) -> None:
        del self._flying[name]
        if not task.cancelled():
            task.exception()
