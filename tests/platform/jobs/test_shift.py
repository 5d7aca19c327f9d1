"""A worker process at work: its places, its bells, its rounds, and how it leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager

import pytest

from counting import HANDLERS, Count, CountSoon, counted, put, silent_ledger, until
from student_hub.platform.db.database import Database, DatabaseAway
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.claim import Claim
from student_hub.platform.jobs.job import Handlers, Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.rounds import Round
from student_hub.platform.jobs.shift import Shift
from student_hub.platform.jobs.workshop import Workshop

pytestmark = pytest.mark.usefixtures("table")

BOUND_S = 30
NEVER_S = 3_600.0
TWO = {Queue.DEFAULT: 2}


class Gate:
    """A handler that goes on until a test lets it end, and tells how many are in it."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.end = asyncio.Event()
        self.inside = 0
        self.most = 0

    async def __call__(self, _job: Job) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.begun.release()
        try:
            await self.end.wait()
        finally:
            self.inside -= 1

    async def has(self, how_many: int) -> None:
        """Returns when so many more have begun."""
        async with asyncio.timeout(BOUND_S):
            for _ in range(how_many):
                await self.begun.acquire()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return silent_ledger(database)


@asynccontextmanager
async def at_work(
    ledger: Ledger,
    handlers: Handlers,
    places: Mapping[Queue, int] = TWO,
    *rounds: Round,
    poll_s: float = 0.05,
) -> AsyncIterator[Shift]:
    shift = Shift(Workshop(ledger, handlers), places, rounds, poll_s=poll_s)
    shift.start()
    yield shift
    await shift.stop(0)


def none_waits(ledger: Ledger) -> Callable[[], Awaitable[bool]]:
    async def none() -> bool:
        return not await ledger.waiting()

    return none


@pytest.mark.requirement("bells-and-polls")
async def test_work_is_found_without_a_bell(database: Database, ledger: Ledger) -> None:
    """Whoever finds nothing looks again: a broker that is away costs a moment, not the work."""
    async with at_work(ledger, HANDLERS):
        await put(database, ledger, [Count(number=1)])
        await until(none_waits(ledger))
    assert await counted(database) == [1]


@pytest.mark.requirement("bells-and-polls")
async def test_a_bell_is_heard_at_once(database: Database, ledger: Ledger) -> None:
    """A shift that would look again in an hour begins when it is rung for."""
    async with at_work(ledger, HANDLERS, poll_s=NEVER_S) as shift:
        await until(none_waits(ledger))
        for number in range(3):
            await put(database, ledger, [Count(number=number)])
            shift.ring(Queue.DEFAULT)
            await until(none_waits(ledger))
        shift.ring(Queue.LOW_PRIORITY)  # others' work
    assert await counted(database) == [0, 1, 2]


@pytest.mark.requirement("bells-and-polls")
async def test_one_bell_fetches_as_many_as_there_are_jobs(
    database: Database, ledger: Ledger
) -> None:
    """Who finds a job calls the next: rings that became one do not leave a place idle."""
    gate = Gate()
    async with at_work(ledger, {Count: gate}, {Queue.DEFAULT: 3}, poll_s=NEVER_S) as shift:
        await put(database, ledger, [Count(number=number) for number in range(3)])
        shift.ring(Queue.DEFAULT)
        await gate.has(3)
        gate.end.set()
        await until(none_waits(ledger))


@pytest.mark.requirement("queues-apart")
async def test_a_backlog_of_one_queue_does_not_take_the_places_of_another(
    database: Database, ledger: Ledger
) -> None:
    """Two are at `default`, which has a hundred jobs; `high_priority` is done meanwhile."""
    gate = Gate()
    places = {Queue.DEFAULT: 2, Queue.HIGH_PRIORITY: 1}
    async with at_work(ledger, {**HANDLERS, Count: gate}, places):
        await put(database, ledger, [Count(number=number) for number in range(100)])
        await gate.has(2)
        await put(database, ledger, [CountSoon(number=7)])
        await until(lambda: has_counted(database, [7]))
        assert gate.most == 2


async def has_counted(database: Database, numbers: list[int]) -> bool:
    return await counted(database) == numbers


@pytest.mark.requirement("worker-drains")
async def test_who_leaves_ends_what_is_under_way_and_begins_nothing(
    database: Database, ledger: Ledger
) -> None:
    """The running job ends within the grace; the next one is left to others."""
    gate = Gate()
    shift = Shift(Workshop(ledger, {Count: gate}), {Queue.DEFAULT: 1}, poll_s=0.05)
    await put(database, ledger, [Count(number=number) for number in range(2)])
    shift.start()
    await gate.has(1)
    stopping = asyncio.create_task(shift.stop(BOUND_S))
    gate.end.set()
    await stopping
    assert await ledger.waiting() == 1
    assert (await claimed(ledger)).attempt == 1


@pytest.mark.requirement("worker-drains")
async def test_what_does_not_end_within_the_grace_is_given_back(
    database: Database, ledger: Ledger
) -> None:
    """Another worker may claim it at once, as if it had never been tried."""
    gate = Gate()
    shift = Shift(Workshop(ledger, {Count: gate}), TWO, poll_s=0.05)
    await put(database, ledger, [Count(number=number) for number in range(2)])
    shift.start()
    await gate.has(2)
    await shift.stop(0.01)
    assert gate.inside == 0
    assert {(await claimed(ledger)).attempt for _ in range(2)} == {1}


async def claimed(ledger: Ledger) -> Claim:
    claim = await ledger.claim(Queue.DEFAULT)
    assert claim is not None
    return claim


class Faulty(Ledger):
    """Fails in the first claims."""

    faults = 4

    async def claim(self, queue: Queue, kinds: Collection[str] | None = None) -> Claim | None:
        if self.faults:
            self.faults -= 1
            raise DatabaseAway if self.faults % 2 else OSError
        return await super().claim(queue, kinds)


@pytest.mark.requirement("worker-survives")
async def test_a_database_that_is_away_is_asked_until_it_is_back(database: Database) -> None:
    """Whatever a claim raises, the place stays manned."""
    ledger = Faulty(database, Doorbell(lambda _: None))
    await put(database, ledger, [Count(number=1)])
    async with at_work(ledger, HANDLERS):
        await until(none_waits(ledger))
    assert ledger.faults == 0


@pytest.mark.requirement("bells-and-polls")
async def test_rounds_are_done_again_and_again_whatever_becomes_of_one(
    ledger: Ledger,
) -> None:
    """One that fails is tried again, and its neighbour does not notice."""
    done = asyncio.Semaphore(0)

    async def fail() -> None:
        done.release()
        raise OSError

    async def go() -> None:
        done.release()

    rounds = (Round("failing", 0.01, fail), Round("going", 0.01, go))
    async with at_work(ledger, HANDLERS, TWO, *rounds), asyncio.timeout(BOUND_S):
        for _ in range(8):
            await done.acquire()


@pytest.mark.requirement("bells-and-polls")
async def test_a_round_that_is_called_for_does_not_wait_for_its_time(ledger: Ledger) -> None:
    """The clock calls; by itself this round would come once an hour."""
    done = asyncio.Semaphore(0)

    async def go() -> None:
        done.release()

    async with at_work(ledger, HANDLERS, TWO, Round("hourly", NEVER_S, go)) as shift:
        async with asyncio.timeout(BOUND_S):
            await done.acquire()
            shift.call()
            await done.acquire()
