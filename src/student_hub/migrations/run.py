"""Brings a database to a revision, as its owner; two starts at once are safe."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from student_hub.platform.db.database import owner_engine

HERE = Path(__file__).parent
ADVISORY_LOCK = 0x68756231
Command = Callable[[Config], None]


async def upgrade(url: str) -> list[str]:
    """The revisions that were applied, oldest first; none when the database was up to date."""
    async with _locked(url) as connection:
        before = await connection.run_sync(_current)
        await connection.run_sync(_run, lambda config: command.upgrade(config, "head"))
        after = await connection.run_sync(_current)
    return _between(before, after)


async def downgrade(url: str, revision: str) -> None:
    """Takes the database back to the revision; `base` is an empty one."""
    async with _locked(url) as connection:
        await connection.run_sync(_run, lambda config: command.downgrade(config, revision))


async def check(url: str) -> None:
    """Nothing when the models say what the database has; alembic's CommandError otherwise."""
    async with _locked(url) as connection:
        await connection.run_sync(_run, command.check)


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[AsyncConnection]:
    engine = owner_engine(url)
    try:
        async with engine.connect() as connection:
            # The lock belongs to the connection and goes with it, however this process ends.
            await connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
            await connection.commit()
            yield connection
    finally:
        await engine.dispose()


def _run(connection: Connection, action: Command) -> None:
    config = _config()
    config.attributes["connection"] = connection
    action(config)


def _current(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return revision


def _between(before: str | None, after: str | None) -> list[str]:
    if before == after:
        return []
    script = ScriptDirectory.from_config(_config())
    revisions = script.iterate_revisions(after or "base", before or "base")
    return [revision.revision for revision in revisions][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return config
