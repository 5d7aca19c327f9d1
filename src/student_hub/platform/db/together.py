"""Rows that several want at the same time, read by one query for all of them."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from student_hub.platform.db.connecting import opening_of
from student_hub.platform.db.database import Database, DatabaseAway
from student_hub.platform.db.hot import HotQuery, HotRow
from student_hub.platform.security.caller import Caller

MOST_AT_ONCE = 256
LINES = 4
LONGEST_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A query that will be sent, and what it is to ask for as long as it has not been."""

    keys: set[UUID] = field(default_factory=set)


class Together:
    """Reads rows by their `id`; `query` takes the ids as `ids`.

    At most four queries are under way. Who comes meanwhile goes with the next one, never with one
    that has been sent: a row is as new as its asking. Viewers who see different students are never
    read for together.
    """

    def __init__(self, query: HotQuery) -> None:
        self._query = query
        self._lines = asyncio.Semaphore(LINES)
        self._next: dict[str, tuple[_Reading, asyncio.Task[dict[UUID, HotRow]]]] = {}

    async def row(self, db: Database, caller: Caller | None, key: UUID) -> HotRow | None:
        """The row as that caller sees it, or None; DatabaseAway after 2 s at the latest."""
        view = opening_of(caller)
        reading, task = self._next.get(view) or self._begin(db, caller, view)
        reading.keys.add(key)
        if len(reading.keys) == MOST_AT_ONCE:
            del self._next[view]
        return (await asyncio.shield(task)).get(key)

    def _begin(
        self, db: Database, caller: Caller | None, view: str
    ) -> tuple[_Reading, asyncio.Task[dict[UUID, HotRow]]]:
        reading = _Reading()
        task = asyncio.create_task(self._read(db, caller, view, reading))
        task.add_done_callback(_look)
        self._next[view] = reading, task
        return reading, task

    async def _read(
        self, db: Database, caller: Caller | None, view: str, reading: _Reading
    ) -> dict[UUID, HotRow]:
        async with self._lines:
            waiting = self._next.get(view)
            if waiting is not None and waiting[0] is reading:
                del self._next[view]
            try:
                async with asyncio.timeout(LONGEST_S):
                    rows = await db.fetch_rows(caller, self._query, ids=list(reading.keys))
            except TimeoutError as error:
                raise DatabaseAway from error
        return {row.id: row for row in rows}


def _look(task: asyncio.Task[dict[UUID, HotRow]]) -> None:
    """Whoever waited may have gone away: then nobody else looks at an error."""
    if not task.cancelled():
        task.exception()
