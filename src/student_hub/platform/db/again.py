"""Work in a transaction that PostgreSQL may undo for another's sake."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from student_hub.platform.db.database import Database, Transaction, sqlstate_of
from student_hub.platform.security.caller import Caller

T = TypeVar("T")
UNDONE = frozenset({"40001", "40P01"})
"""PostgreSQL's codes for a transaction that met another's: a failed serialization, a deadlock."""


async def transact(
    db: Database, work: Callable[[Transaction], Awaitable[T]], caller: Caller | None = None
) -> T:
    """What the work returns, committed; it is done once more from its start after a deadlock.

    It sees the students whom the caller may see. It keeps nothing outside the transaction before
    it has come to its end.
    """
    try:
        async with db.transaction(caller) as tx:
            return await work(tx)
    except DBAPIError as error:
        if sqlstate_of(error) not in UNDONE:
            raise
    async with db.transaction(caller) as tx:
        return await work(tx)
