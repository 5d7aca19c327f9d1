"""Rows of PostgreSQL that a process remembers for as long as nobody changes them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from student_hub.platform.db.listening import Ear, Listener

V = TypeVar("V")
MOST = 20_000


class Remembered(Generic[V]):
    """Values by key, forgotten on notification; while nothing is heard, each is read anew.

    Who asks while a value is being read shares that reading, unless the value has changed since it
    began. Without a listener nothing outlives its reading.
    """

    def __init__(self, listener: Listener | None, channel: str, *, most: int = MOST) -> None:
        self._listener = listener
        self._most = most
        self._values: dict[str, V] = {}
        self._readings: dict[str, asyncio.Task[V]] = {}
        if listener is not None:
            listener.on(channel, Ear(self.forget, self._forget_all))

    def get(self, key: str) -> V | None:
        """The value, if it is known and nothing may have been missed."""
        return self._values.get(key) if self._hears else None

    async def read(self, key: str, load: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The value, loaded when it is not known; an error of `load` is not remembered."""
        known = self.get(key)
        if known is not None:
            return known
        reading = self._readings.get(key)
        if reading is None:
            reading = asyncio.create_task(load())
            self._readings[key] = reading
            heard = self._hears
            reading.add_done_callback(lambda done: self._end(key, done, keep=heard))
        return await asyncio.shield(reading)

    def forget(self, key: str) -> None:
        """The value has changed: neither it nor what is being read of it just now is kept."""
        self._values.pop(key, None)
        self._readings.pop(key, None)

    @property
    def _hears(self) -> bool:
        return self._listener is not None and self._listener.hears

    def _end(self, key: str, reading: asyncio.Task[V], *, keep: bool) -> None:
        failed = reading.cancelled() or reading.exception() is not None
        if self._readings.get(key) is not reading:
            return
        del self._readings[key]
        if keep and not failed:
            self._keep(key, reading.result())

    def _keep(self, key: str, value: V) -> None:
        if len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        self._values[key] = value

    def _forget_all(self) -> None:
        self._values.clear()
        self._readings.clear()
