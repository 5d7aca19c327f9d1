"""The process's way to the store: one connection that is opened, watched and opened again."""

import asyncio
import time
from collections import deque

import structlog

from student_hub.platform.cache.address import Address
from student_hub.platform.cache.resp import Word, command
from student_hub.platform.cache.wire import AWAY, Place, Wire

SILENCE_S = 0.05
"""So long the store may be silent while it owes a reply."""
LOOKS = 10
"""And so many times that may a single reply take."""
CONNECT_S = 2.0
REST_S = 1.0
TURNS = 3
CLOSING = "closing"
MOST_DUE = 20_000
log = structlog.get_logger()


class Line:
    """Asks the store; when it is away it is left alone for a second.

    So its absence costs one request in a while 50 to 100 ms, and the others nothing. A connection
    that was of use and fails is replaced at once: one hiccup does not cost a second. Silence counts
    only when the loop has had the turns to look: what has arrived and waits for a busy loop is not
    held against the store. A reply's place may hold AWAY, never an exception.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.of(url)
        self._wire: Wire | None = None
        self._opening: asyncio.Task[None] | None = None
        self._opened_at = 0.0
        self._watched = False
        self._marked: tuple[Wire | None, int] = (None, 0)
        self._owed: deque[int] = deque(maxlen=LOOKS)
        self._rests_until = float("-inf")

    @property
    def rests(self) -> bool:
        """Whether the store is left alone just now."""
        return time.monotonic() < self._rests_until

    def ask(self, *words: Word) -> Place:
        """Sends the command together with all others of this turn of the loop."""
        return self.send(command(*words))

    def send(self, wanted: bytes) -> Place:
        """The same for a command that is encoded already."""
        place: Place = asyncio.get_running_loop().create_future()
        wire = self._wire
        if wire is None or wire.closed:
            wire = None if self.rests else self._open()
        if wire is None or wire.due >= MOST_DUE or (not wire.open and self.rests):
            place.set_result(AWAY)
            return place
        wire.send(wanted, place)
        if not self._watched:
            self._watched = True
            self._mark(wire)
        return place

    async def close(self) -> None:
        """Ends the connection; what is due is away."""
        if self._wire is not None and not self._wire.closed:
            self._wire.give_up(CLOSING)
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})

    def _open(self) -> Wire:
        wire = Wire(self._address.greeting, self._on_end)
        self._wire = wire
        self._owed.clear()
        self._opened_at = time.monotonic()
        self._opening = asyncio.create_task(self._connect(wire))
        return wire

    async def _connect(self, wire: Wire) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._address.connect(lambda: wire)
        except OSError as error:  # TimeoutError and everything of TLS are such
            wire.give_up(type(error).__name__)

    def _on_end(self, wire: Wire, why: str) -> None:
        if wire is self._wire and (wire.due or not wire.open) and why != CLOSING:
            self._away(why, rest=not wire.of_use)

    def _away(self, why: str, *, rest: bool) -> None:
        if rest:
            self._rests_until = time.monotonic() + REST_S
        log.warning("cache_away", reason=why)

    def _mark(self, wire: Wire) -> None:
        self._marked = (wire, wire.heard)
        self._owed.append(wire.sent)
        asyncio.get_running_loop().call_later(SILENCE_S, self._look)

    def _look(self) -> None:
        wire = self._wire
        if wire is not None and self._is_late(wire):
            self._judge(wire, TURNS)
        else:
            self._look_on()

    def _is_late(self, wire: Wire) -> bool:
        silent = self._marked == (wire, wire.heard)
        return silent or (len(self._owed) == LOOKS and wire.answered < self._owed[0])

    def _judge(self, wire: Wire, turns: int) -> None:
        """Gives the loop some turns, in each of which it reads what has come, before it judges."""
        if turns and self._is_late(wire):
            asyncio.get_running_loop().call_soon(self._judge, wire, turns - 1)
            return
        if self._is_late(wire) and wire.due:
            self._condemn(wire)
        self._look_on()

    def _look_on(self) -> None:
        wire = self._wire
        self._watched = wire is not None and not wire.closed and wire.due > 0
        if wire is not None and self._watched:
            self._mark(wire)

    def _condemn(self, wire: Wire) -> None:
        if wire.open or time.monotonic() - self._opened_at > CONNECT_S:
            wire.give_up("silent")
        elif not wire.closed:
            self._away("connecting", rest=True)
            wire.let_go()
