"""Rows of PostgreSQL that a process remembers for as long as nobody changes them."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, NamedTuple, TypeVar

from student_hub.platform.db.listening import Ear, Listener

V = TypeVar("V")
MOST = 20_000
VIEW_S = 60.0
"""A right to see may end by itself, which nobody tells of: so long it is not asked for again."""


class _Kept(NamedTuple, Generic[V]):
    value: V
    view: object
    until: float


class _Reading(NamedTuple, Generic[V]):
    task: asyncio.Task[V]
    view: object


class Remembered(Generic[V]):
    """Values by key, forgotten on notification; while nothing is heard, each is read anew.

    Who asks while a value is being read shares that reading, unless the value has changed since it
    began. Without a listener nothing outlives its reading.

    What depends on who looks is kept for each viewer apart, and for a minute at most: a changed
    key is forgotten for all of them, and a changed viewer (told on `viewers`) for every key.
    """

    def __init__(
        self,
        listener: Listener | None,
        channel: str,
        *,
        viewers: str | None = None,
        most: int = MOST,
    ) -> None:
        self._listener = listener
        self._most = most
        self._count = 0
        self._values: dict[str, dict[str | None, _Kept[V]]] = {}
        self._readings: dict[str, dict[str | None, _Reading[V]]] = {}
        self._views: dict[str, object] = {}
        if listener is not None:
            listener.on(channel, Ear(self.forget, self._forget_all))
            if viewers is not None:
                listener.on(viewers, Ear(self.forget_viewer, self._forget_all))

    def get(self, key: str, viewer: str | None = None) -> V | None:
        """The value, if it is known and nothing may have been missed."""
        views = self._values.get(key)
        kept = None if views is None else views.get(viewer)
        if kept is None or not self._hears:
            return None
        if viewer is not None and (
            kept.view is not self._views.get(viewer) or time.monotonic() >= kept.until
        ):
            return None
        return kept.value

    async def read(
        self, key: str, load: Callable[[], Coroutine[Any, Any, V]], viewer: str | None = None
    ) -> V:
        """The value, loaded when it is not known; an error of `load` is not remembered."""
        known = self.get(key, viewer)
        if known is not None:
            return known
        view = self._view(viewer)
        readings = self._readings.setdefault(key, {})
        reading = readings.get(viewer)
        if reading is None or reading.view is not view:
            reading = readings[viewer] = _Reading(asyncio.create_task(load()), view)
            self._follow(key, viewer, reading)
        return await asyncio.shield(reading.task)

    def forget(self, key: str) -> None:
        """The value has changed: neither it nor what is being read of it just now is kept."""
        self._count -= len(self._values.pop(key, ()))
        self._readings.pop(key, None)

    def forget_viewer(self, viewer: str) -> None:
        """What the viewer may see has changed: nothing that they saw is known any more."""
        self._views.pop(viewer, None)

    @property
    def _hears(self) -> bool:
        return self._listener is not None and self._listener.hears

    def _view(self, viewer: str | None) -> object:
        """What stands for all that the viewer may see, until that changes."""
        if viewer is None:
            return None
        if viewer not in self._views and len(self._views) >= self._most:
            self._views.clear()
        return self._views.setdefault(viewer, object())

    def _follow(self, key: str, viewer: str | None, reading: _Reading[V]) -> None:
        heard, until = self._hears, time.monotonic() + VIEW_S

        def end(task: asyncio.Task[V]) -> None:
            failed = task.cancelled() or task.exception() is not None
            readings = self._readings.get(key, {})
            if readings.get(viewer) is not reading:
                return
            del readings[viewer]
            if not readings:
                del self._readings[key]
            if heard and not failed:
                self._keep(key, viewer, _Kept(task.result(), reading.view, until))

        reading.task.add_done_callback(end)

    def _keep(self, key: str, viewer: str | None, kept: _Kept[V]) -> None:
        while self._count >= self._most:
            self.forget(next(iter(self._values)))
        views = self._values.setdefault(key, {})
        self._count += viewer not in views
        views[viewer] = kept

    def _forget_all(self) -> None:
        self._count = 0
        self._values.clear()
        self._readings.clear()
        self._views.clear()
