"""Carries what processes have noted in their spools into the database, within half a second."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from student_hub.access.audit.spool import Segment, Spool

EVERY_S = 0.5
LAST_ROUND_S = 5.0
Store = Callable[[Sequence[bytes]], Awaitable[None]]
"""Stores the lines; may be given the same ones again."""
log = structlog.get_logger()


class Drainer:
    """A task that makes its rounds until it is closed; what it cannot store stays in the spool."""

    def __init__(self, spool: Spool, store: Store, *, every_s: float = EVERY_S) -> None:
        self._spool = spool
        self._store = store
        self._every_s = every_s
        self._done: dict[Segment, int] = {}
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to make rounds, in the running loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Makes a last round and lets go of the spool."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ROUND_S):
                await self._try_round()
        self._spool.close()

    async def round(self) -> int:
        """Carries away all that is there; how many lines. Raises what the store raises."""
        async with self._lock:
            return sum([await self._carry(segment) for segment in self._spool.behind()])

    async def _run(self) -> None:
        while True:
            await self._try_round()
            await asyncio.sleep(self._every_s)

    async def _try_round(self) -> None:
        try:
            await self.round()
        except Exception as error:  # noqa: BLE001 (whatever it is: the lines stay, and rounds go on)
            log.warning("audit_not_drained", reason=type(error).__name__)

    async def _carry(self, segment: Segment) -> int:
        """Goes on where an earlier round was broken off, in this process; else from the start."""
        carried, offset = 0, self._done.get(segment, 0)
        while offset < segment.size:
            lines, offset = await asyncio.to_thread(segment.read, offset)
            await self._store(lines)
            self._done[segment] = offset
            carried += len(lines)
        self._done.pop(segment, None)
        self._spool.carried(segment)
        return carried
