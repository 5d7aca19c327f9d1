"""Connections, and a transaction as a block that commits when it is left in peace."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import TypedDict

import asyncpg
import orjson
import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from student_hub.platform.db import hot
from student_hub.platform.db.connecting import HubConnection, connect, opening_of
from student_hub.platform.db.hot import HotQuery, HotRow
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.security.caller import Caller

inside: ContextVar[bool] = ContextVar("inside_transaction", default=False)
"""True while the current task holds a transaction open."""

AfterCommit = Callable[[], Awaitable[None]]
Creator = Callable[[], Awaitable[HubConnection]]
DISK_FULL = "53100"
RETRY_AFTER_S = 2
OUT_OF_TIME = frozenset({"57014", "55P03"})
"""PostgreSQL's codes for a statement, and for a wait for a lock, that took too long."""
BROKEN_LINE = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)
REPEATABLE = {"isolation_level": "REPEATABLE READ"}
log = structlog.get_logger()


class ConnectArgs(TypedDict):
    """What a connection is made with."""

    timeout: float
    command_timeout: float
    server_settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds after which something of the database is given up."""

    connect_s: float = 5.0
    statement_s: float = 30.0
    lock_s: float = 10.0
    idle_in_transaction_s: float = 60.0
    silence_s: float = 5.0
    """How much longer than a statement may take an answer is waited for on the line."""

    def connect_args(self) -> "ConnectArgs":
        """What asyncpg and PostgreSQL are told of them, for each new connection."""
        server = {
            "timezone": "UTC",
            "application_name": "student-hub",
            "statement_timeout": _ms(self.statement_s),
            "lock_timeout": _ms(self.lock_s),
            "idle_in_transaction_session_timeout": _ms(self.idle_in_transaction_s),
        }
        answer_s = self.statement_s + self.silence_s
        return {"timeout": self.connect_s, "command_timeout": answer_s, "server_settings": server}


REQUEST = Deadlines()
"""For what somebody waits for."""
AT_LENGTH = Deadlines(statement_s=600.0)
"""For imports and background work."""


@dataclass(slots=True)
class Transaction:
    """An open transaction. Repositories use `session`; nobody but `Database` commits it.

    `sees_all` says whether it sees every student, and not only those of somebody's grants.
    """

    session: AsyncSession
    sees_all: bool = False
    after: list[AfterCommit] = field(default_factory=list)

    def after_commit(self, action: AfterCommit) -> None:
        """Runs the action once the transaction has been committed, and never otherwise."""
        self.after.append(action)


class DatabaseAway(HubError):
    """The database of the hub does not answer at the moment; try again."""

    kind = Kind.AWAY

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_S)


class StorageFull(HubError):
    """The disk of the hub's database is full: nothing of this was stored; send it again later."""

    kind = Kind.AWAY

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_S)


class Database:
    """The way to PostgreSQL; connects when it is first used, as the role that owns nothing."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        patience_s: float = 5.0,
        deadlines: Deadlines = REQUEST,
        role: str | None = HUB_ROLE,
    ) -> None:
        creator = partial(connect, url, role, **deadlines.connect_args())
        self._engine = _engine(url, creator, pool_size, patience_s)
        # A busy pool is no sign of illness, so the ping does not wait in its queue.
        self._apart = _engine(url, creator, 1, patience_s, pre_ping=True)

    @asynccontextmanager
    async def transaction(
        self, caller: Caller | None = None, *, snapshot: bool = False
    ) -> AsyncIterator[Transaction]:
        """A block of work that is committed as a whole, or not at all when it raises.

        It sees the students whom the caller may see, and none at all without a caller. As a
        `snapshot` it sees all the time what was there at its first query (REPEATABLE READ).

        DatabaseAway when PostgreSQL cannot be reached, takes too long, or has no connection to
        spare; RoleRefused when it would not protect the students.
        """
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            tx = Transaction(session, sees_all=caller is not None and caller.sees_all)
            token = inside.set(True)
            try:
                async with session.begin():
                    await _connect(session, opening_of(caller), snapshot=snapshot)
                    yield tx
            except DBAPIError as error:
                if sqlstate_of(error) == DISK_FULL:
                    raise StorageFull from error
                if error.connection_invalidated or sqlstate_of(error) in OUT_OF_TIME:
                    raise _away(error) from error
                raise
            finally:
                inside.reset(token)
        for action in tx.after:
            await action()

    async def fetch_row(
        self, caller: Caller | None, query: HotQuery, **values: object
    ) -> HotRow | None:
        """The first of the rows that `fetch_rows` would give, or None."""
        rows = await self.fetch_rows(caller, query, **values)
        return rows[0] if rows else None

    async def fetch_rows(
        self, caller: Caller | None, query: HotQuery, **values: object
    ) -> list[HotRow]:
        """The rows of the query: a transaction of its own, without the ORM's cost.

        It sees what `transaction` would, and raises the same.
        """
        connection = await _taken(self._engine.connect())
        try:
            return await hot.fetch_rows(_driver_of(connection), opening_of(caller), query, values)
        except BaseException as error:
            # Nobody must find its transaction open, however it ended.
            _proxied(connection).invalidate(error)
            if isinstance(error, BROKEN_LINE) or sqlstate_of(error) in OUT_OF_TIME:
                raise _away(error) from error
            raise
        finally:
            await connection.close()

    async def ping(self) -> None:
        """Nothing when PostgreSQL answers; its error otherwise. Busy connections do not matter."""
        async with self._apart.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()
        await self._apart.dispose()


def sqlstate_of(error: BaseException) -> str | None:
    """PostgreSQL's five-letter code for the error, if it has one."""
    found = getattr(getattr(error, "orig", error), "sqlstate", None)
    return found if isinstance(found, str) else None


def async_url(url: str) -> str:
    """The same database by way of asyncpg, whichever driver the URL named."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError("DATABASE_URL must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"


def owner_engine(url: str) -> AsyncEngine:
    """An engine that works as whomever the URL names: for migrations alone."""
    creator = partial(connect, url, None, timeout=REQUEST.connect_s)
    return create_async_engine(async_url(url), async_creator=creator, poolclass=NullPool)


def _engine(
    url: str, creator: Creator, size: int, patience_s: float, *, pre_ping: bool = False
) -> AsyncEngine:
    engine = create_async_engine(
        async_url(url),
        async_creator=creator,
        pool_size=size,
        max_overflow=0,
        pool_timeout=patience_s,
        pool_pre_ping=pre_ping,
        hide_parameters=True,  # they are people's data, and errors are logged
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_a_silent_line)
    return engine


def _give_up_a_silent_line(context: ExceptionContext) -> None:
    """A connection on which an answer was awaited in vain is of no more use."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
        raise _away(context.original_exception)


async def _connect(session: AsyncSession, opening: str, *, snapshot: bool) -> None:
    """Takes a connection now, so that its absence is told apart from what a query may raise.

    BEGIN is sent with the first query; what the transaction may see goes with it.
    """
    options = REPEATABLE if snapshot else None
    _driver_of(await _taken(session.connection(execution_options=options))).opening = opening


async def _taken(connecting: Awaitable[AsyncConnection]) -> AsyncConnection:
    try:
        return await connecting
    except (OSError, DBAPIError, PoolTimeout) as error:
        raise _away(error) from error


def _proxied(connection: AsyncConnection) -> PoolProxiedConnection:
    if connection.sync_connection is None:
        raise TypeError("a connection that was not begun")
    return connection.sync_connection.connection


def _driver_of(connection: AsyncConnection) -> HubConnection:
    driver = _proxied(connection).driver_connection
    if not isinstance(driver, HubConnection):
        raise TypeError("a connection that was made elsewhere")
    return driver


def _away(error: BaseException) -> DatabaseAway:
    log.warning("database_away", reason=type(error).__name__, sqlstate=sqlstate_of(error))
    return DatabaseAway()


def _ms(seconds: float) -> str:
    return str(round(seconds * 1_000))
