from dataclasses import dataclass, field


@dataclass
class Backoff:
    """How long to wait before the next restart: doubling, and from the first after a good run."""

    first: float = 1.0
    most: float = 30.0
    good_run: float = 60.0
    _next: float = field(default=0.0, init=False)

    def after(self, uptime: float) -> float:
        """Seconds to wait, for a program that died after `uptime` seconds."""
        if uptime >= self.good_run or not self._next:
            self._next = self.first
        wait = self._next
        self._next = min(self._next * 2, self.most)
        return wait
