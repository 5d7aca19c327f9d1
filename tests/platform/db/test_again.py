"""Transactions that PostgreSQL undoes for another's sake."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.roles import HUB_ROLE

pytestmark = pytest.mark.requirement("transactions")
ADD = text("UPDATE counters SET n = n + 1 WHERE id = :id")


@pytest.fixture(autouse=True)
async def counters(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "CREATE TABLE counters (id int PRIMARY KEY, n int);"
        "INSERT INTO counters VALUES (1, 0), (2, 0)"
    )
    await owner.execute(f"GRANT ALL ON counters TO {HUB_ROLE}")


async def test_both_of_two_that_deadlock_come_to_their_end(database: Database) -> None:
    """The one that PostgreSQL undoes is done once more, and each is written once."""
    met = asyncio.Barrier(2)
    tries = 0

    async def add(tx: Transaction, *ids: int) -> None:
        nonlocal tries
        tries += 1
        await tx.session.execute(ADD, {"id": ids[0]})
        if tries <= 2:
            await met.wait()
        await tx.session.execute(ADD, {"id": ids[1]})

    await asyncio.gather(
        transact(database, lambda tx: add(tx, 1, 2)), transact(database, lambda tx: add(tx, 2, 1))
    )
    async with database.transaction() as tx:
        assert list(await tx.session.scalars(text("SELECT n FROM counters"))) == [2, 2]
    assert tries == 3


@pytest.mark.parametrize(("state", "tries"), [("40001", 2), ("40P01", 2), ("23505", 1)])
async def test_work_is_done_twice_at_most_and_only_for_anothers_sake(
    database: Database, state: str, tries: int
) -> None:
    """What fails again, or by itself, is the caller's to know."""
    tried = 0

    async def work(tx: Transaction) -> None:
        nonlocal tried
        tried += 1
        raised = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
        await tx.session.execute(text(raised))

    with pytest.raises(DBAPIError):
        await transact(database, work)
    assert tried == tries
