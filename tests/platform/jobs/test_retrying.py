"""What becomes of jobs that fail: how often they are tried, and what is told of them."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from counting import INSERT, Count, counted, do, put, silent_ledger
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.jobs.job import Job, inside
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Ending, Workshop

pytestmark = [pytest.mark.requirement("ledger-dead-letters"), pytest.mark.usefixtures("table")]

MAKE_DUE = "UPDATE jobs SET not_before = now()"
STATE = "SELECT attempts, failed, last_error, last_message FROM jobs"
NAME, MAIL = "김철수", "parent@example.kr"


class Twice(Job):
    """Is tried two times."""

    most_attempts = 2
    number: int = 1


class Brief(Job):
    """Must come to its end at once."""

    longest = timedelta(milliseconds=50)
    most_attempts = 1


class Refused(HubError):
    """The mail to {address} for {student_id} was refused with {status} {reason}: {words}."""

    kind = Kind.CONFLICT


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return silent_ledger(database)


async def state(database: Database) -> tuple[object, ...]:
    async with database.transaction() as tx:
        return tuple((await tx.session.execute(text(STATE))).one())


async def test_each_kind_has_its_own_bound_of_attempts(database: Database, ledger: Ledger) -> None:
    """After the second failure this one is dead, and is not tried a third time."""
    endings: list[Ending] = []

    async def fail(_job: Twice) -> None:
        raise ValueError

    await put(database, ledger, [Twice()])
    workshop = Workshop(ledger, {Twice: fail}, observe=lambda *run: endings.append(run[1]))
    for _ in range(3):
        await do(database, MAKE_DUE)
        await workshop.work(Queue.DEFAULT, most=1)
    assert endings == [Ending.FAILED, Ending.DEAD]
    assert (await state(database))[:3] == (2, True, "ValueError")


async def test_a_run_that_takes_too_long_has_failed(database: Database, ledger: Ledger) -> None:
    """Each kind says how long it may take; a handler that hangs holds its place no longer."""

    async def hang(_job: Brief) -> None:
        await asyncio.Event().wait()

    await put(database, ledger, [Brief()])
    await Workshop(ledger, {Brief: hang}).work(Queue.DEFAULT)
    assert (await state(database))[1:3] == (True, "TimeoutError")


async def test_an_effect_that_fails_leaves_nothing_and_is_tried_again(
    database: Database, ledger: Ledger
) -> None:
    """Effect and end are one transaction: a double row is refused with the end of the job."""

    async def twice(tx: Transaction, job: Twice) -> None:
        await tx.session.execute(text(INSERT), {"number": job.number})
        await tx.session.execute(text("SELECT 1 / 0"))

    await put(database, ledger, [Twice()])
    await Workshop(ledger, {Twice: inside(twice)}).work(Queue.DEFAULT, most=1)
    assert await counted(database) == []
    attempts, failed, error, message = await state(database)
    assert (attempts, failed, error) == (1, False, "DBAPIError")
    assert "sqlstate 22012" in str(message)


async def test_a_dead_letter_says_what_happened_and_nothing_of_a_person(
    database: Database, ledger: Ledger
) -> None:
    """Words of the program, ids and numbers stay; names, addresses and sentences do not."""
    student = str(uuid4())

    async def refuse(_job: Twice) -> None:
        raise Refused(address=MAIL, student_id=student, status=550, reason="no_user", words=NAME)

    await put(database, ledger, [Twice()])
    await Workshop(ledger, {Twice: refuse}).work(Queue.DEFAULT, most=1)
    _, _, error, message = await state(database)
    assert error == "Refused"
    assert str(message).startswith(
        f"The mail to [removed] for {student} was refused with 550 no_user: [removed]."
    )


async def test_a_kind_that_a_worker_does_not_know_is_left_to_others(
    database: Database, ledger: Ledger
) -> None:
    """While a release rolls out, old workers find jobs of the new one and leave them alone."""
    await put(database, ledger, [Twice(), Count(number=1)])
    done: list[Job] = []

    async def know(job: Count) -> None:
        done.append(job)

    assert await Workshop(ledger, {Count: know}).work(Queue.DEFAULT) == 1
    assert done == [Count(number=1)]
    assert await ledger.waiting() == 1
