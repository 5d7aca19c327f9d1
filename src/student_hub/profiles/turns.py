"""So many at a time and no more: who comes then waits for a turn, or is told at once not to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from student_hub.nodes.window import Monotonic, Window
from student_hub.profiles.errors import TooBusy

LOOK_BACK_S = 2.0
SLACK = 1.25


class Turns:
    """Gives turns in the order of asking. Nobody waits for longer than `longest_s`.

    Once there has been a queue for a second, the number of turns that ended meanwhile says how
    long it takes; who would wait in vain is refused before waiting.
    """

    def __init__(
        self, places: int, longest_s: float, *, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._places = asyncio.Semaphore(places)
        self._longest_s = longest_s
        self._monotonic = monotonic
        self._ends = Window(monotonic, LOOK_BACK_S)
        self._waiting = 0
        self._crowded_since = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A block that is one turn; TooBusy when there is none to be had in time."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            if self._waiting:
                self._ends.add(marked=False)
            self._places.release()

    async def _wait(self) -> None:
        if not self._waiting:
            self._ends.clear()
            self._crowded_since = self._monotonic()
        elif self._is_in_vain():
            raise TooBusy
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise TooBusy from error
        finally:
            self._waiting -= 1

    def _is_in_vain(self) -> bool:
        past_s = min(self._monotonic() - self._crowded_since, LOOK_BACK_S)
        ended, _ = self._ends.counts()
        known = past_s >= LOOK_BACK_S / 2
        return known and self._waiting * past_s > SLACK * ended * self._longest_s
