"""A job whose effect can be counted, and its table, which takes doubles without a word."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import asyncpg
from sqlalchemy import text

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.job import Handlers, Job, inside
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue

TABLE = f"CREATE TABLE counted (number int); GRANT ALL ON counted TO {HUB_ROLE}"
INSERT = "INSERT INTO counted VALUES (:number)"


class Count(Job):
    """Adds a row to the table `counted`."""

    number: int


class CountSoon(Job):
    """The same on another queue."""

    queue = Queue.HIGH_PRIORITY
    number: int


async def make_table(owner: asyncpg.Connection) -> None:
    await owner.execute(TABLE)


async def count(tx: Transaction, job: Count | CountSoon) -> None:
    await tx.session.execute(text(INSERT), {"number": job.number})


HANDLERS: Handlers = {Count: inside(count), CountSoon: inside(count)}


async def counted(database: Database) -> list[int]:
    """The numbers counted so far, in order."""
    async with database.transaction() as tx:
        rows = await tx.session.execute(text("SELECT number FROM counted ORDER BY number"))
        return list(rows.scalars())


def silent_ledger(database: Database, **given: object) -> Ledger:
    """A ledger whose bells nobody hears."""
    return Ledger(database, Doorbell(lambda _: None), **given)  # type: ignore[arg-type]


async def put(database: Database, ledger: Ledger, jobs: Iterable[Job]) -> int:
    """Puts the jobs in one transaction; how many were new."""
    async with database.transaction() as tx:
        return await ledger.put_all(tx, jobs)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Waits for something that happens in the database; TimeoutError when it does not."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 (another process's doing)
            await asyncio.sleep(0.02)


async def do(database: Database, sql: str) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(sql))
