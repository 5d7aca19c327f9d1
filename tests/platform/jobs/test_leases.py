"""Who holds a job: as long as its worker lives, and nobody for longer."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from counting import Count, count, counted, do, put, silent_ledger, until
from factories import scalar
from student_hub.platform.db.database import Database, DatabaseAway, Transaction
from student_hub.platform.jobs.claim import AlreadyEnded, Claim, LeaseLost
from student_hub.platform.jobs.job import Effect, Job, Outside, Run
from student_hub.platform.jobs.ledger import LEASE, Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Ending, Workshop

pytestmark = [pytest.mark.requirement("ledger-leases"), pytest.mark.usefixtures("table")]

SHORT = timedelta(milliseconds=300)
EXPIRE = "UPDATE jobs SET leased_until = now() - interval '1 s'"
OUTLIVED = "SELECT leased_until > started_at + interval '{} s' FROM jobs"


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return silent_ledger(database)


async def claimed(database: Database, ledger: Ledger) -> Claim:
    await put(database, ledger, [Count(number=1)])
    return await again(ledger)


async def again(ledger: Ledger) -> Claim:
    claim = await ledger.claim(Queue.DEFAULT)
    assert claim is not None
    return claim


def counting(claim: Claim) -> Effect:
    async def effect(tx: Transaction) -> None:
        await count(tx, Count(number=claim.payload["number"]))

    return effect


async def test_a_long_job_keeps_its_lease(database: Database) -> None:
    """It is renewed while the handler works, so nobody else gets the job however long it takes."""
    ledger, end = silent_ledger(database, lease=SHORT), asyncio.Event()

    async def slow(_job: Count) -> None:
        await end.wait()

    await put(database, ledger, [Count(number=1)])
    working = asyncio.create_task(Workshop(ledger, {Count: slow}).work(Queue.DEFAULT))
    await until(lambda: outlived(database, 2 * SHORT.total_seconds()))
    assert await ledger.claim(Queue.DEFAULT) is None
    end.set()
    assert await working == 1
    assert await ledger.waiting() == 0


async def outlived(database: Database, seconds: float) -> bool:
    return await scalar(database, OUTLIVED.format(seconds)) is True


async def test_the_lease_of_a_dead_worker_ends_after_a_short_set_time(
    database: Database, ledger: Ledger
) -> None:
    """Fifteen seconds from the last renewal, and then anybody may claim the job."""
    await claimed(database, ledger)
    lease = "SELECT leased_until - started_at FROM jobs"
    assert await scalar(database, lease) == LEASE == timedelta(seconds=15)
    await do(database, EXPIRE)
    assert (await again(ledger)).attempt == 2


async def test_a_handler_whose_lease_was_lost_is_broken_off(database: Database) -> None:
    """What it would still do is another's by now; the run counts as lost, and nothing is kept."""
    ledger = silent_ledger(database, lease=SHORT)
    endings: list[Ending] = []

    async def slow(job: Count) -> Effect:
        await do(database, EXPIRE)
        assert await ledger.claim(Queue.DEFAULT) is not None
        await asyncio.Event().wait()
        raise AssertionError(job)

    await put(database, ledger, [Count(number=1)])
    workshop = Workshop(ledger, {Count: slow}, observe=lambda *run: endings.append(run[1]))
    assert await workshop.work(Queue.DEFAULT, most=1) == 1
    assert endings == [Ending.LOST]
    assert await counted(database) == []


async def test_a_run_that_was_overtaken_can_write_nothing(
    database: Database, ledger: Ledger
) -> None:
    """Not its end, not a note, no failure and no renewal: all of them are fenced off."""
    old = await claimed(database, ledger)
    await do(database, EXPIRE)
    new = await again(ledger)
    for late in (
        ledger.finish(old, counting(old)),
        ledger.keep(old, counting(old)),
        ledger.renew(old),
        ledger.postpone(old, "ValueError"),
        ledger.defer(old, "NodeFailed"),
        ledger.give_back(old),
    ):
        with pytest.raises(LeaseLost):
            await late
    await ledger.finish(new, counting(new))
    assert await counted(database) == [1]


async def test_a_run_that_let_go_is_shut_out_though_nobody_took_over(
    database: Database, ledger: Ledger
) -> None:
    """What is left of a run that was broken off, such as a thread, does no harm later."""
    for let_go in (ledger.give_back, lambda claim: ledger.defer(claim, "NodeFailed")):
        claim = await claimed(database, ledger)
        await let_go(claim)
        with pytest.raises(LeaseLost):
            await ledger.keep(claim, counting(claim))
        await do(database, "DELETE FROM jobs")
    assert await counted(database) == []


async def test_the_numbers_of_runs_never_come_again(database: Database, ledger: Ledger) -> None:
    """Attempts that do not count are taken back; the fence has a number of its own."""
    runs = []
    await put(database, ledger, [Count(number=1)])
    for _ in range(4):
        claim = await again(ledger)
        assert claim.attempt == 1
        runs.append(claim.run)
        await ledger.give_back(claim)
    assert len(set(runs)) == 4
    assert runs == sorted(runs)


async def test_what_was_given_back_is_due_at_once_in_its_old_place(
    database: Database, ledger: Ledger
) -> None:
    """It goes before what was asked for after it."""
    await put(database, ledger, [Count(number=number) for number in (1, 2)])
    first = await again(ledger)
    await ledger.give_back(first)
    assert (await again(ledger)).id == first.id


async def test_a_workshop_that_is_stopped_gives_its_job_back(
    database: Database, ledger: Ledger
) -> None:
    """Nobody waits for the lease to end, and no attempt is counted."""
    begun = asyncio.Event()

    async def endless(_job: Count) -> None:
        begun.set()
        await asyncio.Event().wait()

    await put(database, ledger, [Count(number=1)])
    working = asyncio.create_task(Workshop(ledger, {Count: endless}).work(Queue.DEFAULT))
    await asyncio.wait_for(begun.wait(), 30)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (await again(ledger)).attempt == 1


class Deaf(Ledger):
    """Commits its first end, and does not hear that it did."""

    deaf = True

    async def finish(self, claim: Claim, effect: Effect | None) -> None:
        await super().finish(claim, effect)
        if self.deaf:
            self.deaf = False
            raise DatabaseAway


async def test_an_end_whose_answer_was_lost_is_not_written_twice(database: Database) -> None:
    """The database failed in the moment of the commit: the job is asked about, and is done."""
    ledger = silent_ledger(database)
    ledger.__class__ = Deaf
    runs: list[int] = []
    endings: list[Ending] = []

    async def tell(job: Count, run: Run) -> Effect:
        runs.append(run.attempt)

        async def effect(tx: Transaction) -> None:
            await count(tx, job)

        return effect

    await put(database, ledger, [Count(number=1)])
    workshop = Workshop(ledger, {Count: Outside(tell)}, observe=lambda *run: endings.append(run[1]))
    assert await workshop.work(Queue.DEFAULT) == 1
    assert (runs, endings) == ([1], [Ending.DONE])
    assert await counted(database) == [1]


async def test_a_run_knows_that_its_own_end_was_written(database: Database, ledger: Ledger) -> None:
    """Another's end, or a job that is gone, is a lost lease."""
    claim = await claimed(database, ledger)
    await ledger.finish(claim, None)
    with pytest.raises(AlreadyEnded):
        await ledger.finish(claim, counting(claim))
    await do(database, "DELETE FROM jobs")
    with pytest.raises(LeaseLost) as lost:
        await ledger.finish(claim, counting(claim))
    assert not isinstance(lost.value, AlreadyEnded)
    assert await counted(database) == []


async def test_what_a_run_keeps_is_there_before_its_end(database: Database, ledger: Ledger) -> None:
    """So a mail's intent is known to the next run when this one dies while it sends."""
    noted: list[object] = []

    class Send(Job):
        pass

    async def send(_job: Send, run: Run) -> None:
        async def intent(tx: Transaction) -> None:
            await tx.session.execute(text("INSERT INTO counted VALUES (7)"))

        await run.keep(intent)
        noted.append(await counted(database))
        raise ValueError

    await put(database, ledger, [Send()])
    await Workshop(ledger, {Send: Outside(send)}).work(Queue.DEFAULT, most=1)
    assert noted == [[7]]
    assert await ledger.waiting() == 1


async def test_the_key_of_a_job_is_the_same_in_every_run_and_no_other_job_has_it(
    database: Database, ledger: Ledger
) -> None:
    """Also after it was dead and an operator retried it: that is the idempotency key."""
    await put(database, ledger, [Count(number=number) for number in range(3)])
    keys = []
    for _ in range(3):
        await do(database, EXPIRE)
        keys.append((await again(ledger)).key)
    await do(
        database,
        "UPDATE jobs SET attempts = 0, not_before = now() + interval '1 h', "
        "leased_until = NULL WHERE runs > 0",
    )
    others = {(await again(ledger)).key for _ in range(2)}
    assert len(set(keys)) == 1
    assert len(others) == 2
    assert others.isdisjoint(keys)
