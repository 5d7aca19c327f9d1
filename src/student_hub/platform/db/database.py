"""Connections, and a transaction as a block that commits when it is left in peace."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from student_hub.platform.errors import HubError, Kind

inside: ContextVar[bool] = ContextVar("inside_transaction", default=False)
"""True while the current task holds a transaction open."""

AfterCommit = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Transaction:
    """An open transaction. Repositories use `session`; nobody but `Database` commits it."""

    session: AsyncSession
    after: list[AfterCommit] = field(default_factory=list)

    def after_commit(self, action: AfterCommit) -> None:
        """Runs the action once the transaction has been committed, and never otherwise."""
        self.after.append(action)


class DatabaseAway(HubError):
    """The hub cannot reach its database at the moment; try again."""

    kind = Kind.UNAVAILABLE


class Database:
    """The way to PostgreSQL; connects when it is first used."""

    def __init__(self, url: str, *, pool_size: int = 10, patience_s: float = 5.0) -> None:
        self._engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=patience_s,
            pool_pre_ping=False,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "server_settings": {"timezone": "UTC", "application_name": "student-hub"}
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A block of work that is committed as a whole, or not at all when it raises.

        DatabaseAway when PostgreSQL cannot be reached, or has no connection to spare.
        """
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            tx = Transaction(session)
            token = inside.set(True)
            try:
                async with session.begin():
                    await _connect(session)
                    yield tx
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise DatabaseAway from error
                raise
            finally:
                inside.reset(token)
        for action in tx.after:
            await action()

    async def ping(self) -> None:
        """Nothing when PostgreSQL answers; its error otherwise."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection in autocommit, for what cannot run in a transaction."""
        async with self._engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        await self._engine.dispose()


async def _connect(session: AsyncSession) -> None:
    """Takes a connection now, so that its absence is told apart from what a query may raise."""
    try:
        await session.connection()
    except (OSError, DBAPIError, PoolTimeout) as error:
        raise DatabaseAway from error


def async_url(url: str) -> str:
    """The same database by way of asyncpg, whichever driver the URL named."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError("DATABASE_URL must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"
