"""How jobs get into the ledger, and in which order they leave it."""

from datetime import UTC, datetime, timedelta

import pytest

from counting import HANDLERS, Count, CountSoon, counted, do, put, silent_ledger
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import PER_STATEMENT, Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop

pytestmark = [pytest.mark.requirement("ledger-exactly-once"), pytest.mark.usefixtures("table")]


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return silent_ledger(database)


async def claimed(ledger: Ledger) -> list[int]:
    """The numbers of all that is due, in the order in which it is given out."""
    numbers = []
    while claim := await ledger.claim(Queue.DEFAULT):
        numbers.append(claim.payload["number"])
    return numbers


async def test_many_jobs_are_put_at_once(database: Database) -> None:
    """More than one statement takes, with one ring for each queue that got some."""
    rung: list[Queue] = []
    bell = Doorbell(rung.append)
    ledger = Ledger(database, bell)
    jobs: list[Job] = [Count(number=number) for number in range(PER_STATEMENT + 1)]
    assert await put(database, ledger, [*jobs, CountSoon(number=0)]) == PER_STATEMENT + 2
    await bell.close()
    assert sorted(rung) == [Queue.DEFAULT, Queue.HIGH_PRIORITY]
    assert await ledger.waiting() == PER_STATEMENT + 2


async def test_of_many_jobs_those_with_a_known_key_are_left_out(
    database: Database, ledger: Ledger
) -> None:
    """A fan-out that is broken off and begun again asks for each of its parts once."""
    for most in (3, 5):
        async with database.transaction() as tx:
            jobs = [Count(number=number) for number in range(most)]
            new = await ledger.put_all(tx, jobs, unique_key=lambda job: f"count:{job.number}")
        assert new == {3: 3, 5: 2}[most]
    assert sorted(await claimed(ledger)) == [0, 1, 2, 3, 4]


async def test_one_transaction_may_not_hide_doubles(database: Database, ledger: Ledger) -> None:
    """The same key twice in one call makes one job."""
    async with database.transaction() as tx:
        jobs = [Count(number=1), Count(number=2)]
        assert await ledger.put_all(tx, jobs, unique_key=lambda _: "same") == 1


async def test_a_delayed_job_is_due_at_its_time(database: Database, ledger: Ledger) -> None:
    """By a wait, or by a time; one whose time has passed is due at once."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await ledger.put(tx, Count(number=1), after=timedelta(hours=1))
        await ledger.put(tx, Count(number=2), at=now + timedelta(hours=1))
        await ledger.put(tx, Count(number=3), at=now - timedelta(hours=1))
    assert await claimed(ledger) == [3]
    await do(database, "UPDATE jobs SET not_before = not_before - interval '2 h'")
    assert sorted(await claimed(ledger)) == [1, 2]


async def test_who_has_been_due_for_longest_comes_first(database: Database, ledger: Ledger) -> None:
    """Not who was asked for first: a job that waited for its time does not wait again."""
    now = datetime.now(UTC)
    for number, ago in ((1, 1), (2, 3), (3, 2)):
        async with database.transaction() as tx:
            await ledger.put(tx, Count(number=number), at=now - timedelta(hours=ago))
    assert await claimed(ledger) == [2, 3, 1]


async def test_a_job_asks_for_its_successor_in_its_own_transaction(
    database: Database, ledger: Ledger
) -> None:
    """A chain is never left without its next link, and never has it twice."""
    await put(database, ledger, [Count(number=1), CountSoon(number=2)])
    workshop = Workshop(ledger, HANDLERS)
    for queue in Queue:
        await workshop.work(queue)
    assert await counted(database) == [1, 2]
