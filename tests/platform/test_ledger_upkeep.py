"""How long a job that could not be done waits, and what becomes of jobs that have ended."""

from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import text

from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.claim import Claim
from student_hub.platform.jobs.job import MOST_ATTEMPTS, Job
from student_hub.platform.jobs.ledger import LONGEST_WAIT, Ledger
from student_hub.platform.jobs.pruning import PruneJobs, ledger_handlers
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop

NOW = "SELECT clock_timestamp()"
DUE = "SELECT not_before FROM jobs"
END = """
    UPDATE jobs SET finished_at = now() - interval '{}', failed = {}
    WHERE id = (SELECT min(id) FROM jobs WHERE finished_at IS NULL)
"""
AGE = "UPDATE jobs SET created_at = now() - interval '{}'"
MAKE_DUE = "UPDATE jobs SET not_before = now(), leased_until = now() - interval '1 s'"


class Errand(Job):
    """Something to do."""


class Longest(Random):
    """Chance that always waits as long as it may."""

    def uniform(self, a: float, b: float) -> float:
        """The upper end."""
        del a
        return b


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Doorbell(lambda _: None), random=Longest())


async def ask(database: Database, sql: str) -> datetime:
    async with database.transaction() as tx:
        answer: datetime = (await tx.session.execute(text(sql))).scalar_one()
        return answer


async def do(database: Database, sql: str) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(sql))


async def claimed(database: Database, ledger: Ledger) -> Claim:
    await do(database, MAKE_DUE)
    claim = await ledger.claim(Queue.DEFAULT)
    assert claim is not None
    return claim


@pytest.fixture(autouse=True)
async def errand(database: Database, ledger: Ledger) -> None:
    async with database.transaction() as tx:
        await ledger.put(tx, Errand())


@pytest.mark.requirement("ledger-retries")
async def test_a_failed_job_waits_twice_as_long_each_time(
    database: Database, ledger: Ledger
) -> None:
    """At most 2, 4, 8 … seconds and never over 15 minutes; chance spreads it below that."""
    for attempt in range(1, MOST_ATTEMPTS):
        claim = await claimed(database, ledger)
        before = await ask(database, NOW)
        await ledger.postpone(claim, "ConnectionError")
        after = await ask(database, NOW)
        wait = min(timedelta(seconds=2**attempt), LONGEST_WAIT)
        assert before + wait <= await ask(database, DUE) <= after + wait


@pytest.mark.requirement("ledger-retries")
@pytest.mark.parametrize(("age", "wait_s"), [("0 s", 2), ("100 s", 100), ("3 days", 900)])
async def test_a_job_that_could_not_be_tried_waits_as_long_as_it_is_old(
    database: Database, ledger: Ledger, age: str, wait_s: int
) -> None:
    """So each wait is longer than the one before, up to 15 minutes."""
    await do(database, AGE.format(age))
    claim = await claimed(database, ledger)
    before = await ask(database, NOW)
    await ledger.defer(claim, "NodeFailed")
    after = await ask(database, NOW)
    moment, wait = timedelta(seconds=5), timedelta(seconds=wait_s)
    assert before + wait <= await ask(database, DUE) <= after + wait + moment


@pytest.mark.requirement("ledger-retries")
async def test_a_job_whose_node_is_away_is_tried_without_end(
    database: Database, ledger: Ledger
) -> None:
    """However often the node was away, the job is due again and no attempt is counted."""

    async def away(_job: Errand) -> None:
        raise NodeFailed(node="lab-node", tool="record_events", reason=Reason.CIRCUIT_OPEN)

    workshop = Workshop(ledger, {Errand: away})
    for _ in range(3 * MOST_ATTEMPTS):
        await do(database, MAKE_DUE)
        assert await workshop.work(Queue.DEFAULT, most=1) == 1
    async with database.transaction() as tx:
        row = await tx.session.execute(text("SELECT attempts, failed, last_error FROM jobs"))
        assert tuple(row.one()) == (0, False, "NodeFailed")


@pytest.mark.requirement("ledger-retries")
async def test_a_job_that_ends_its_workers_is_set_aside(database: Database, ledger: Ledger) -> None:
    """Nobody lives to put it back: after the last attempt the next claim passes on to others."""
    for _ in range(MOST_ATTEMPTS):
        await claimed(database, ledger)
    async with database.transaction() as tx:
        await ledger.put(tx, Errand())
    await do(database, MAKE_DUE)
    claim = await ledger.claim(Queue.DEFAULT)
    assert claim is not None
    assert claim.attempt == 1
    async with database.transaction() as tx:
        rows = await tx.session.execute(text("SELECT failed, last_error FROM jobs ORDER BY id"))
        assert [tuple(row) for row in rows] == [(True, "LeaseLost"), (False, None)]


@pytest.mark.requirement("ledger-pruned")
async def test_jobs_done_a_week_ago_are_deleted_and_failed_ones_are_kept(
    database: Database, ledger: Ledger
) -> None:
    """What failed is for people to look at; what is open or fresh stays as well."""
    async with database.transaction() as tx:
        for _ in range(3):
            await ledger.put(tx, Errand())
        await ledger.put(tx, PruneJobs())
    for end, failed in (("8 days", False), ("6 days", False), ("8 days", True)):
        await do(database, END.format(end, failed))
    workshop = Workshop(ledger, ledger_handlers(ledger))
    assert await workshop.work(Queue.LOW_PRIORITY) == 1
    async with database.transaction() as tx:
        query = text("SELECT finished_at IS NULL, failed FROM jobs WHERE kind = 'errand'")
        rows = await tx.session.execute(query)
        assert sorted(map(tuple, rows)) == [(False, False), (False, True), (True, False)]
