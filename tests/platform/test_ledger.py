"""The ledger of jobs: nothing lost, nothing done twice, whoever dies when."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.claim import LeaseLost
from student_hub.platform.jobs.job import MOST_ATTEMPTS, Effect, Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop


class Count(Job):
    """Adds a row to the table `counted`."""

    number: int


@pytest.fixture
async def rung() -> list[Queue]:
    return []


@pytest.fixture
def ledger(database: Database, rung: list[Queue]) -> Ledger:
    return Ledger(database, Doorbell(rung.append))


@pytest.fixture(autouse=True)
async def counted(
    database: Database, owner: asyncpg.Connection
) -> Callable[[], Awaitable[list[int]]]:
    """The numbers counted so far."""
    await owner.execute(f"CREATE TABLE counted (number int); GRANT ALL ON counted TO {HUB_ROLE}")

    async def read() -> list[int]:
        async with database.transaction() as tx:
            rows = await tx.session.execute(text("SELECT number FROM counted ORDER BY number"))
            return list(rows.scalars())

    return read


async def count(job: Count) -> Effect:
    async def effect(tx: Transaction) -> None:
        await tx.session.execute(text("INSERT INTO counted VALUES (:n)"), {"n": job.number})

    return effect


async def put(database: Database, ledger: Ledger, number: int, key: str | None = None) -> bool:
    async with database.transaction() as tx:
        return await ledger.put(tx, Count(number=number), unique_key=key)


@pytest.mark.requirement("ledger-exactly-once")
async def test_a_job_put_in_a_transaction_that_fails_never_was(
    database: Database, ledger: Ledger, rung: list[Queue]
) -> None:
    """Neither row nor ring is left of a transaction that was undone."""

    async def put_and_fail() -> None:
        async with database.transaction() as tx:
            await ledger.put(tx, Count(number=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await put_and_fail()
    assert await ledger.waiting() == 0
    assert rung == []


@pytest.mark.requirement("ledger-exactly-once")
async def test_many_workers_do_every_job_once(
    database: Database, ledger: Ledger, counted: Callable[[], Awaitable[list[int]]]
) -> None:
    """Eight workers on one queue share 100 jobs without doing one twice."""
    for number in range(100):
        await put(database, ledger, number)
    workshop = Workshop(ledger, {Count: count})
    done = await asyncio.gather(*(workshop.work(Queue.DEFAULT) for _ in range(8)))
    assert sum(done) == 100
    assert await counted() == list(range(100))
    assert await ledger.waiting() == 0


@pytest.mark.requirement("ledger-exactly-once")
async def test_a_worker_that_lost_its_lease_leaves_no_effect(
    database: Database, ledger: Ledger, counted: Callable[[], Awaitable[list[int]]]
) -> None:
    """When another has taken the job over, the first one's effect is undone with its end."""
    await put(database, ledger, 7)
    slow = await ledger.claim(Queue.DEFAULT)
    assert slow is not None
    await expire_leases(database)
    taken_over = await ledger.claim(Queue.DEFAULT)
    assert taken_over is not None
    effect = await count(Count(number=7))
    with pytest.raises(LeaseLost):
        await ledger.finish(slow, effect)
    await ledger.finish(taken_over, effect)
    assert await counted() == [7]


async def expire_leases(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE jobs SET leased_until = now() - interval '1 s'"))


@pytest.mark.requirement("ledger-exactly-once")
async def test_a_claimed_job_is_not_given_to_a_second_worker(
    database: Database, ledger: Ledger
) -> None:
    """While its lease lasts, a job is in one pair of hands."""
    await put(database, ledger, 1)
    assert await ledger.claim(Queue.DEFAULT) is not None
    assert await ledger.claim(Queue.DEFAULT) is None
    assert await ledger.waiting() == 1


@pytest.mark.requirement("ledger-retries")
async def test_a_job_that_fails_waits_and_at_last_is_set_aside(
    database: Database, ledger: Ledger
) -> None:
    """Each failure is noted with its kind; after the last attempt the job is dead, not lost."""

    async def fail(_job: Count) -> Effect:
        raise ConnectionError

    await put(database, ledger, 1)
    workshop = Workshop(ledger, {Count: fail})
    for _ in range(MOST_ATTEMPTS):
        await make_due(database)
        assert await workshop.work(Queue.DEFAULT, most=1) == 1
    await make_due(database)
    assert await workshop.work(Queue.DEFAULT) == 0
    async with database.transaction() as tx:
        query = text("SELECT attempts, failed, last_error FROM jobs")
        row = (await tx.session.execute(query)).one()
    assert tuple(row) == (MOST_ATTEMPTS, True, "ConnectionError")


async def make_due(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE jobs SET not_before = now()"))


@pytest.mark.requirement("ledger-exactly-once")
async def test_a_unique_key_is_put_once(database: Database, ledger: Ledger) -> None:
    """Two clocks that ask for the same day's work make one job of it."""
    assert await put(database, ledger, 1, "upkeep:2026-01-09")
    assert not await put(database, ledger, 1, "upkeep:2026-01-09")
    assert await ledger.waiting() == 1


@pytest.mark.requirement("ledger-exactly-once")
async def test_a_broker_that_is_away_costs_no_job(database: Database) -> None:
    """A ring that fails is logged; the commit stands and the caller does not notice."""

    def broken(_queue: Queue) -> None:
        raise ConnectionRefusedError

    bell = Doorbell(broken)
    ledger = Ledger(database, bell)
    assert await put(database, ledger, 1)
    await bell.close()
    assert await ledger.waiting() == 1
