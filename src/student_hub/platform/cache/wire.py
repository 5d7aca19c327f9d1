"""One connection to the store: many commands under way at a time, replies in their order."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, TypeAlias, cast

from student_hub.platform.cache.resp import NotResp, Reader, Refused, Reply


class Away(Enum):
    """In a reply's place: the store has given none, and nobody knows what became of the command."""

    AWAY = "away"


AWAY: Final = Away.AWAY
Place: TypeAlias = asyncio.Future[Reply | Away]
"""Where a reply will be; never an exception, so that nobody has to look."""


class Wire(asyncio.Protocol):
    """Says its greeting, then the commands: those sent while a reply is due leave together.

    So the busier it is, the more go in one write and come in one read: to wake the store for each
    would cost more than all else that a cached answer needs. `ended` is told why, once, when the
    connection is of no use any more; what is due is away then.
    """

    def __init__(self, greeting: Sequence[bytes], ended: Callable[["Wire", str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = ended
        self._greeting = greeting
        self._unanswered = len(greeting)
        self._reader = Reader()
        self._leaving: list[bytes] = []
        self._places: deque[Place] = deque()
        self._transport: asyncio.Transport | None = None
        self.sent = 0
        self.answered = 0
        self.heard = 0
        self.open = False
        self.of_use = False
        self.closed = False

    @property
    def due(self) -> int:
        """How many commands are without their reply."""
        return len(self._places)

    def send(self, command: bytes, place: Place) -> None:
        """Sends the command with all others of this turn; its reply will be in the place."""
        if not self._places and self.open:
            self._loop.call_soon(self._flush)  # with whatever else this turn of the loop sends
        self._leaving.append(command)
        self._places.append(place)
        self.sent += 1

    def give_up(self, why: str) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.abort()
        self._end(why)

    def let_go(self) -> None:
        """What is due is not waited for; a connection that is still being made goes on."""
        self._leaving.clear()
        self.answered += len(self._places)
        while self._places:
            _fill(self._places.popleft(), AWAY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.heard += 1
        if self.closed:
            self._transport.abort()
        elif self._greeting:
            self._transport.write(b"".join(self._greeting))
        else:
            self._opened()

    def data_received(self, data: bytes) -> None:
        self.heard += 1
        try:
            for reply in self._reader.feed(data):
                self._take(reply)
        except NotResp as error:
            self.give_up(str(error))
        if self._leaving and len(self._leaving) == len(self._places):
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(type(exc).__name__ if exc else "closed")

    def _take(self, reply: Reply) -> None:
        if self.open and self._places:
            self.of_use = True
            self.answered += 1
            _fill(self._places.popleft(), reply)
        elif self.open or isinstance(reply, Refused):
            self.give_up("refused" if isinstance(reply, Refused) else "an answer to nothing")
        else:
            self._unanswered -= 1
            if not self._unanswered:
                self._opened()

    def _opened(self) -> None:
        self.open = True
        self._flush()

    def _flush(self) -> None:
        if self._leaving and self._transport is not None:
            self._transport.write(b"".join(self._leaving))
            self._leaving.clear()

    def _end(self, why: str) -> None:
        if self.closed:
            return
        self.closed = True
        self._ended(self, why)
        self.let_go()


def _fill(place: Place, reply: Reply | Away) -> None:
    if not place.done():  # who asked may have gone away
        place.set_result(reply)
