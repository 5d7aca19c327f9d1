"""A transaction is a block: committed as a whole, or not at all."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import text

from factories import scalar
from student_hub.platform.db.database import Database, DatabaseAway, StorageFull, async_url, inside
from student_hub.platform.db.roles import HUB_ROLE

pytestmark = pytest.mark.requirement("transactions")


@pytest.fixture
async def noted(owner: asyncpg.Connection) -> None:
    """A table to write into."""
    await owner.execute(f"CREATE TABLE noted (note text); GRANT ALL ON noted TO {HUB_ROLE}")


async def note(database: Database, *, then: Exception | None = None) -> list[str]:
    """Notes something and asks for an action after the commit; the actions that ran."""
    done: list[str] = []

    async def action() -> None:
        done.append("done")

    async with database.transaction() as tx:
        await tx.session.execute(text("INSERT INTO noted VALUES ('x')"))
        tx.after_commit(action)
        assert not done
        if then is not None:
            raise then
    return done


@pytest.mark.usefixtures("noted")
async def test_a_block_left_in_peace_is_committed_and_then_acts(database: Database) -> None:
    """Actions asked for run after the commit."""
    assert await note(database) == ["done"]
    assert await scalar(database, "SELECT count(*) FROM noted") == 1


@pytest.mark.usefixtures("noted")
async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    """Neither rows nor actions, and the error arrives as it was."""
    with pytest.raises(KeyError, match="mine"):
        await note(database, then=KeyError("mine"))
    assert await scalar(database, "SELECT count(*) FROM noted") == 0


@pytest.mark.usefixtures("noted")
async def test_a_cancelled_block_leaves_nothing_and_gives_its_connection_back(
    database_url: str,
) -> None:
    """A client that goes away does not use the pool up."""
    database = Database(database_url, pool_size=1)
    started = asyncio.Event()

    async def wait() -> None:
        async with database.transaction() as tx:
            await tx.session.execute(text("INSERT INTO noted VALUES ('x')"))
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await scalar(database, "SELECT count(*) FROM noted") == 0
    await database.close()


async def test_only_the_task_in_the_block_is_inside(database: Database) -> None:
    """What must not run inside a transaction can see that it would."""
    async with database.transaction():
        assert inside.get()
    assert not inside.get()


async def test_times_come_back_in_utc(database: Database) -> None:
    """Whatever the server's zone."""
    at = await scalar(database, "SELECT timestamptz '2026-01-08T14:30:00+09:00'")
    assert at == datetime(2026, 1, 8, 5, 30, tzinfo=UTC)
    assert isinstance(at, datetime)
    assert at.tzinfo is not None


async def test_a_ping_tells_whether_the_database_answers(database: Database) -> None:
    """Nothing when it does, its error when it does not."""
    await database.ping()
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OSError, match=r"refused|Connect"):
        await away.ping()
    await away.close()


async def test_a_full_disk_is_said_to_be_full(database: Database) -> None:
    """PostgreSQL's own word for it (53100) becomes an error that every door can tell."""
    raised = text("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")
    with pytest.raises(StorageFull) as full:
        async with database.transaction() as tx:
            await tx.session.execute(raised)
    assert full.value.facts == {"retry_after": 2}


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_postgresql_url_goes_by_way_of_asyncpg(scheme: str) -> None:
    """URLs as other tools write them are understood."""
    assert async_url(f"{scheme}://u:p@h/d") == "postgresql+asyncpg://u:p@h/d"


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", ""])
def test_another_database_is_refused(url: str) -> None:
    """The error names the setting and not the URL, which may hold a password."""
    with pytest.raises(ValueError, match="DATABASE_URL must start with postgresql://"):
        async_url(url)


async def test_a_database_that_is_away_is_said_to_be_away() -> None:
    """No connection is an error of the hub's own family, which every door knows how to tell."""
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseAway):
        async with database.transaction():
            pytest.fail("there is nothing to work on")
    await database.close()


async def test_a_pool_without_a_connection_to_spare_is_away_too(database_url: str) -> None:
    """Who waits in vain for a connection is told to try again, and the others go on."""
    database = Database(database_url, pool_size=1, patience_s=0.1)
    async with database.transaction() as tx:
        with pytest.raises(DatabaseAway):
            async with database.transaction():
                pytest.fail("there was one connection only")
        assert (await tx.session.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()
