"""No request waits for ever for a database that is busy, locked or silent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from factories import scalar
from silence import Line, line_to
from student_hub.platform.db.database import AT_LENGTH, REQUEST, Database, DatabaseAway

pytestmark = pytest.mark.requirement("database-deadlines")

BRIEF = replace(REQUEST, connect_s=0.5, statement_s=0.3, lock_s=0.1, silence_s=0.2)
BOUND_S = 20


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with line_to(database_url) as line:
        yield line


async def settings_of(database: Database) -> list[object]:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    return [await scalar(database, f"SELECT current_setting('{name}')") for name in names]


async def test_each_connection_has_its_deadlines(database_url: str, database: Database) -> None:
    """A request's are short; an import may take its time, yet waits as briefly for a lock."""
    assert await settings_of(database) == ["30s", "10s", "1min"]
    at_length = Database(database_url, deadlines=AT_LENGTH)
    assert await settings_of(at_length) == ["10min", "10s", "1min"]
    await at_length.close()


@pytest.mark.parametrize(
    "statement", ["SELECT pg_sleep(60)", "SELECT pg_advisory_xact_lock(7)"], ids=["slow", "locked"]
)
async def test_what_takes_too_long_is_given_up_and_the_connection_lives_on(
    database_url: str, database: Database, statement: str
) -> None:
    """A slow statement and a lock that another holds: away, and the next request is served."""
    brief = Database(database_url, pool_size=1, deadlines=BRIEF)
    async with asyncio.timeout(BOUND_S), database.transaction() as holder:
        await holder.session.execute(text("SELECT pg_advisory_xact_lock(7)"))
        pid = await scalar(brief, "SELECT pg_backend_pid()")
        with pytest.raises(DatabaseAway):
            await scalar(brief, statement)
        assert await scalar(brief, "SELECT pg_backend_pid()") == pid
    await brief.close()


async def test_a_server_that_falls_silent_in_the_middle_hangs_nobody(line: Line) -> None:
    """No answer on an open line: given up, also by who is cancelled, and served again later."""
    database = Database(line.url, pool_size=2, deadlines=BRIEF)
    async with asyncio.timeout(BOUND_S):
        assert await scalar(database, "SELECT 1") == 1
        line.silent = True
        with pytest.raises(DatabaseAway):
            await scalar(database, "SELECT 2")
        line.silent = False
        assert await scalar(database, "SELECT 3") == 3
        await database.close()


async def test_a_request_that_is_cancelled_on_a_silent_line_ends(line: Line) -> None:
    """Its connection is thrown away instead of being waited for."""
    database = Database(line.url, pool_size=1, deadlines=replace(BRIEF, statement_s=3_600))
    async with asyncio.timeout(BOUND_S):
        assert await scalar(database, "SELECT 1") == 1
        line.silent = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await scalar(database, "SELECT 2")
        line.silent = False
        assert await scalar(database, "SELECT 3") == 3
        await database.close()


async def test_a_server_that_takes_connections_and_says_nothing_is_away(line: Line) -> None:
    """The wait for a connection is bounded too."""
    line.silent = True
    database = Database(line.url, deadlines=BRIEF)
    async with asyncio.timeout(BOUND_S):
        with pytest.raises(DatabaseAway):
            await scalar(database, "SELECT 1")
    await database.close()


async def test_a_refused_login_is_away_too(database_url: str) -> None:
    """What PostgreSQL says before it lets anybody in: too many, starting up, not known."""
    database = Database(f"{database_url}_no_more")
    with pytest.raises(DatabaseAway):
        await scalar(database, "SELECT 1")
    await database.close()


async def test_a_busy_pool_does_not_look_ill(database_url: str) -> None:
    """The ping has a connection of its own."""
    database = Database(database_url, pool_size=1, patience_s=0.1)
    async with database.transaction() as tx:
        await tx.session.execute(text("SELECT 1"))
        await database.ping()
    await database.close()
