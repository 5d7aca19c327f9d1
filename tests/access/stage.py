"""What the tests of the access room stand on: a clock that is turned, and the room itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import text

from doorway import ADMINISTRATOR_KEY, PEPPERS, an_audit
from student_hub.access.identity import TokenReader
from student_hub.access.service import Access
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import HubError
from student_hub.platform.security.caller import SYSTEM, Caller

BOUND_S = 10
MADE: list[Access] = []


class Time:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Counting(Database):
    """Counts how often somebody asks it for a transaction."""

    count = 0

    @asynccontextmanager
    async def transaction(
        self, caller: Caller | None = None, *, snapshot: bool = False
    ) -> AsyncIterator[Transaction]:
        self.count += 1
        async with super().transaction(caller, snapshot=snapshot) as tx:
            yield tx


def an_access(
    database: Database,
    *,
    peppers: Mapping[str, bytes] = PEPPERS,
    administrator_key: str | None = ADMINISTRATOR_KEY,
    tokens: TokenReader | None = None,
    clock: Clock = utc_now,
    listener: Listener | None = None,
) -> Access:
    """The room as a process has it."""
    access = Access(
        database,
        peppers=peppers,
        audit=an_audit(database),
        administrator_key=administrator_key,
        tokens=tokens,
        clock=clock,
        listener=listener,
    )
    MADE.append(access)
    return access


async def settle() -> None:
    """Waits until every use of a key that was being noted is stored."""
    while MADE:
        await MADE.pop().drain()


async def until_hearing(listener: Listener) -> None:
    """Waits until the line is up; its ears must be on it by then."""
    async with asyncio.timeout(BOUND_S):
        while not listener.hears:  # noqa: ASYNC110 (the server's answer is what is waited for)
            await asyncio.sleep(0.01)


async def said(owner: Database, sql: str) -> object:
    """The one value that the statement answers the tables' owner with."""
    async with owner.transaction(SYSTEM) as tx:
        return await tx.session.scalar(text(sql))


def faults_of(error: HubError) -> list[dict[str, str]]:
    """The fields that the error names, each with its problem."""
    return TypeAdapter(list[dict[str, str]]).validate_python(error.facts["errors"])
