"""The schema: up, down and up again, and always what the models say."""

import asyncio

import asyncpg
import pytest

from student_hub.migrations import run

pytestmark = pytest.mark.requirement("migrations")
REVISIONS = [f"{number:04}" for number in range(1, 14)]
THINGS = """
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'public' AND relname !~ '^alembic_version'
    UNION ALL SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = 'public'
    ORDER BY 1
"""


async def things(url: str, query: str = THINGS) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_the_schema_goes_up_down_and_up_again(empty_database_url: str) -> None:
    """Downgrades take everything away, and what comes back is the same."""
    url = empty_database_url
    assert await run.upgrade(url) == REVISIONS
    first = await things(url)
    await run.downgrade(url, "base")
    assert await things(url) == []
    assert await run.upgrade(url) == REVISIONS
    assert await things(url) == first


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_each_revision_goes_back_one_step(empty_database_url: str, revision: str) -> None:
    """A roll-back to any revision is followed by the rest of the way up."""
    await run.upgrade(empty_database_url)
    await run.downgrade(empty_database_url, revision)
    rest = REVISIONS[REVISIONS.index(revision) + 1 :]
    assert await run.upgrade(empty_database_url) == rest


async def test_models_and_schema_agree(database_url: str) -> None:
    """Alembic finds nothing to do, with or without partitions that the product made."""
    await run.check(database_url)
    await things(database_url, "SELECT learning_history_make_partitions(3)")
    await run.check(database_url)


async def test_an_up_to_date_schema_is_left_alone(database_url: str) -> None:
    """A second start applies nothing."""
    assert await run.upgrade(database_url) == []


async def test_starts_at_once_migrate_once(empty_database_url: str) -> None:
    """One of them migrates, the others wait and find it done."""
    applied = await asyncio.gather(*(run.upgrade(empty_database_url) for _ in range(4)))
    assert sorted(applied) == [[], [], [], REVISIONS]


async def test_a_held_table_fails_a_migration_instead_of_the_hub(empty_database_url: str) -> None:
    """A migration waits a few seconds for a lock, with the whole revision undone after that."""
    await run.upgrade(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE api_keys IN ACCESS SHARE MODE")
            with pytest.raises(Exception, match="lock timeout"):
                await run.downgrade(empty_database_url, "0003")
    finally:
        await connection.close()
    assert "api_keys" in await things(empty_database_url)
