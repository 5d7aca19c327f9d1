"""A monotonic clock that stands until it is moved."""

from dataclasses import dataclass


@dataclass
class Ticks:
    """Seconds since nothing in particular."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds
