"""How many threads of a worker may be on each queue, so that no backlog takes them all."""

import threading
from collections.abc import Callable, Mapping

from student_hub.platform.jobs.queues import Queue


class Places:
    """A number of places on each queue; who finds them all taken is not waited for.

    A ring that finds no place is not lost: one of those who have a place goes round once more
    before leaving.
    """

    def __init__(self, places: Mapping[Queue, int]) -> None:
        self._free = dict(places)
        self._rung: set[Queue] = set()
        self._lock = threading.Lock()

    def work(self, queue: Queue, drain: Callable[[], object]) -> bool:
        """Drains the queue if it has a free place; False at once when it has none."""
        if not self._take(queue):
            return False
        left = False
        try:
            while not left:
                drain()
                left = self._leave_if_quiet(queue)
        finally:
            if not left:
                self._leave(queue)
        return True

    def _take(self, queue: Queue) -> bool:
        with self._lock:
            if self._free[queue] == 0:
                self._rung.add(queue)
                return False
            self._free[queue] -= 1
            return True

    def _leave_if_quiet(self, queue: Queue) -> bool:
        with self._lock:
            if queue in self._rung:
                self._rung.discard(queue)
                return False
            self._free[queue] += 1
            return True

    def _leave(self, queue: Queue) -> None:
        with self._lock:
            self._free[queue] += 1
