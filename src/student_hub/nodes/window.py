"""What happened in the last seconds, counted exactly."""

from collections import deque
from collections.abc import Callable

Monotonic = Callable[[], float]
"""Seconds on a clock that never goes back."""


class Window:
    """Counts events of the last `length_s` seconds, and how many of them were marked."""

    def __init__(self, monotonic: Monotonic, length_s: float) -> None:
        self._monotonic = monotonic
        self._length_s = length_s
        self._events: deque[tuple[float, bool]] = deque()
        self._marked = 0

    def add(self, marked: bool) -> None:
        """One more event, now."""
        self._events.append((self._monotonic(), marked))
        self._marked += marked

    def counts(self) -> tuple[int, int]:
        """How many events are younger than `length_s`, and how many of those are marked."""
        oldest = self._monotonic() - self._length_s
        while self._events and self._events[0][0] <= oldest:
            self._marked -= self._events.popleft()[1]
        return len(self._events), self._marked

    def clear(self) -> None:
        self._events.clear()
        self._marked = 0
