"""Connections, and a transaction as a block that commits when it is left in peace."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import orjson
import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from student_hub.platform.errors import HubError, Kind
from student_hub.platform.security.caller import Caller

inside: ContextVar[bool] = ContextVar("inside_transaction", default=False)
"""True while the current task holds a transaction open."""

AfterCommit = Callable[[], Awaitable[None]]
DISK_FULL = "53100"
RETRY_AFTER_S = 2
OUT_OF_TIME = frozenset({"57014", "55P03"})
"""PostgreSQL's codes for a statement, and for a wait for a lock, that took too long."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds after which something of the database is given up."""

    connect_s: float = 5.0
    statement_s: float = 30.0
    lock_s: float = 10.0
    idle_in_transaction_s: float = 60.0
    silence_s: float = 5.0
    """How much longer than a statement may take an answer is waited for on the line."""

    def connect_args(self) -> dict[str, object]:
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
    """An open transaction. Repositories use `session`; nobody but `Database` commits it."""

    session: AsyncSession
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
    """The way to PostgreSQL; connects when it is first used."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        patience_s: float = 5.0,
        deadlines: Deadlines = REQUEST,
    ) -> None:
        self._engine = _engine(url, pool_size, patience_s, deadlines)
        # A busy pool is no sign of illness, so the ping does not wait in its queue.
        self._apart = _engine(url, 1, patience_s, deadlines, pre_ping=True)

    @asynccontextmanager
    async def transaction(self, caller: Caller | None = None) -> AsyncIterator[Transaction]:
        """A block of work that is committed as a whole, or not at all when it raises.

        It sees the students whom the caller may see, and none at all without a caller.

        DatabaseAway when PostgreSQL cannot be reached, takes too long, or has no connection to
        spare.
        """
        del caller
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            tx = Transaction(session)
            token = inside.set(True)
            try:
                async with session.begin():
                    await _connect(session)
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


def _engine(
    url: str, size: int, patience_s: float, deadlines: Deadlines, *, pre_ping: bool = False
) -> AsyncEngine:
    engine = create_async_engine(
        async_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=patience_s,
        pool_pre_ping=pre_ping,
        hide_parameters=True,  # they are people's data, and errors are logged
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args=deadlines.connect_args(),
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_a_silent_line)
    return engine


def _give_up_a_silent_line(context: ExceptionContext) -> None:
    """A connection on which an answer was awaited in vain is of no more use."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
        raise _away(context.original_exception)


async def _connect(session: AsyncSession) -> None:
    """Takes a connection now, so that its absence is told apart from what a query may raise."""
    try:
        await session.connection()
    except (OSError, DBAPIError, PoolTimeout) as error:
        raise _away(error) from error


def _away(error: BaseException) -> DatabaseAway:
    log.warning("database_away", reason=type(error).__name__, sqlstate=sqlstate_of(error))
    return DatabaseAway()


def _ms(seconds: float) -> str:
    return str(round(seconds * 1_000))
