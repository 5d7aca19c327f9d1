"""How the threads of a worker are shared among its queues."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from doorway import settings
from student_hub.entry.places import Places
from student_hub.entry.worker import places_of
from student_hub.platform.jobs.queues import Queue

pytestmark = pytest.mark.requirement("queues-apart")
BOUND_S = 20


class Drain:
    """A drain that goes on until a test lets it end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.end = threading.Event()
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        self.begun.release()
        assert self.end.wait(BOUND_S)


def test_a_backlog_of_one_queue_does_not_take_the_places_of_another() -> None:
    """Two drain `default` for long; a third ring goes away at once, and `high_priority` is done."""
    places, backlog = Places({Queue.DEFAULT: 2, Queue.HIGH_PRIORITY: 1}), Drain()
    with ThreadPoolExecutor(2) as threads:
        long = [threads.submit(places.work, Queue.DEFAULT, backlog) for _ in range(2)]
        assert all(backlog.begun.acquire(timeout=BOUND_S) for _ in long)
        assert not places.work(Queue.DEFAULT, pytest.fail)
        done: list[str] = []
        assert places.work(Queue.HIGH_PRIORITY, lambda: done.append("urgent"))
        assert done == ["urgent"]
        backlog.end.set()
        assert all(drain.result(BOUND_S) for drain in long)


def test_a_ring_that_found_no_place_is_made_good() -> None:
    """Whoever is there goes round once more, for what was rung for may have come too late."""
    places, drain = Places({Queue.DEFAULT: 1}), Drain()
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(places.work, Queue.DEFAULT, drain)
        assert drain.begun.acquire(timeout=BOUND_S)
        assert not places.work(Queue.DEFAULT, pytest.fail)
        drain.end.set()
        assert working.result(BOUND_S)
    assert drain.runs == 2


def test_a_drain_that_fails_gives_its_place_back() -> None:
    """An error is its caller's to hear of, and no place is lost by it."""
    places = Places({Queue.DEFAULT: 1})
    for _ in range(3):
        with pytest.raises(OSError, match="away"):
            places.work(Queue.DEFAULT, away)
    assert places.work(Queue.DEFAULT, lambda: None)


def away() -> None:
    raise OSError("away")


def test_every_queue_has_its_own_number_of_places() -> None:
    """By the settings: two, two and one."""
    assert places_of(settings()) == {
        Queue.HIGH_PRIORITY: 2,
        Queue.DEFAULT: 2,
        Queue.LOW_PRIORITY: 1,
    }
