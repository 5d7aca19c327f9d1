"""Hears what PostgreSQL notifies of, on one connection of its own, and knows when it is deaf."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import asyncpg
import structlog

from student_hub.platform.db.connecting import RoleRefused, connect

HEARTBEAT_S = 1.0
DEAF_AFTER_S = 2.5
AGAIN_AFTER_S = 0.5
BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, RoleRefused)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ear:
    """Who wants to hear of a channel; `deafened` is called when something may have been missed."""

    heard: Callable[[str], None]
    deafened: Callable[[], None]


class Listener:
    """LISTENs on channels; starts when it is first asked whether it hears.

    A notification is delivered once its transaction has committed, so what was read before and is
    remembered is stale by no more than the delivery takes. A connection that hangs is found out
    by a heartbeat: then nothing that was remembered may be used.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._ears: dict[str, list[Ear]] = {}
        self._task: asyncio.Task[None] | None = None
        self._heard_at = float("-inf")

    def on(self, channel: str, ear: Ear) -> None:
        """Tells the ear of every notification on the channel; to be called before it starts."""
        self._ears.setdefault(channel, []).append(ear)

    @property
    def hears(self) -> bool:
        """Whether all that was notified of up to 2.5 s ago has been told."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        return time.monotonic() - self._heard_at < DEAF_AFTER_S

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear_until_broken()
            except BROKEN as error:
                log.warning("listener_broken", reason=type(error).__name__)
            finally:
                self._deafen()
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _hear_until_broken(self) -> None:
        connection = await connect(self._url, timeout=DEAF_AFTER_S)
        try:
            for channel in self._ears:
                await connection.add_listener(channel, self._tell)
            while True:
                asked_at = time.monotonic()
                # Python 3.11's wait_for swallows a cancellation that comes with the answer.
                async with asyncio.timeout(DEAF_AFTER_S):
                    await connection.execute("SELECT 1")
                self._heard_at = asked_at
                await asyncio.sleep(HEARTBEAT_S)
        finally:
            connection.terminate()

    def _tell(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for ear in self._ears[channel]:
            ear.heard(str(payload))

    def _deafen(self) -> None:
        self._heard_at = float("-inf")
        for ear in chain.from_iterable(self._ears.values()):
            ear.deafened()
