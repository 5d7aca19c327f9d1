"""One kept HTTP/1.1 connection: a POST at a time, and the whole of what comes back.

What is HTTP is judged by llhttp in its strict mode. Whatever else a server does ends the
connection: an answer that nobody asked for, two answers to one question, one beyond the limits.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from student_hub.nodes.sse import Events

MOST_BYTES = 256 * 1024
MOST_HEAD_BYTES = 32 * 1024
MOST_FRAMED_BYTES = 4 * MOST_BYTES
"""Of an answer with its head and the sizes of its chunks, each of which may hold a byte."""
FIRST_FINAL_STATUS = 200
EVENTS = b"text/event-stream"
CUT_OFF = "the answer was cut off"

IsAnswer = Callable[[bytes], bool]
"""Whether an event of a stream is what was asked for, so that its end need not be waited for."""


class TooLarge(Exception):
    """The answer has more bytes than any answer may have."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; of a stream of events the one that was asked for, or nothing."""

    status: int
    media_type: bytes
    session: str | None
    body: bytes


@dataclass(slots=True)
class Draft:
    """An answer that is being read; its status is known once its head is whole."""

    status: int = 0
    head: dict[bytes, bytes] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    events: Events | None = None
    read: int = 0
    """Bytes, with head and framing."""
    size: int = 0
    """Bytes of the body."""
    found: bool = False
    whole: bool = False
    keep: bool = False

    @property
    def media_type(self) -> bytes:
        return self.head.get(b"content-type", b"").partition(b";")[0].strip().lower()

    @property
    def until_eof(self) -> bool:
        """Whether nothing but the connection's end can tell where the body ends."""
        framed = b"transfer-encoding" in self.head or b"content-length" in self.head
        return self.status >= FIRST_FINAL_STATUS and not framed

    @property
    def is_ready(self) -> bool:
        return self.whole or self.found

    @property
    def is_too_large(self) -> bool:
        most = MOST_FRAMED_BYTES if self.status else MOST_HEAD_BYTES
        return self.read > most or self.size > MOST_BYTES

    def reply(self) -> Reply:
        session = self.head.get(b"mcp-session-id")
        named = None if session is None else session.decode("latin-1")
        return Reply(self.status, self.media_type, named, b"".join(self.body))


class Connection(asyncio.Protocol):
    """Fails with a ConnectionError, TooLarge or TimeoutError, and is closed then."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._place: asyncio.Future[Reply] | None = None
        self._is_answer: IsAnswer = bool
        self._draft = Draft()
        self._surplus = False
        self._rests_since = time.monotonic()

    @property
    def is_free(self) -> bool:
        """Whether another question may be asked."""
        return self._transport is not None and self._place is None

    def rested_s(self) -> float:
        """Seconds since the last answer, or the beginning."""
        return time.monotonic() - self._rests_since

    async def ask(self, request: bytes, end: float, is_answer: IsAnswer) -> Reply:
        """The answer to the bytes of a request, before the moment `end` of the loop's clock."""
        if self._transport is None:
            raise ConnectionResetError(CUT_OFF)
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Reply] = loop.create_future()
        self._place, self._is_answer = place, is_answer
        timer = loop.call_at(end, self._end, TimeoutError())
        self._transport.write(request)
        try:
            return await place
        finally:
            timer.cancel()
            if self._place is place:  # whoever asked went away
                self._end()

    def close(self) -> None:
        self._end(ConnectionAbortedError("closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def eof_received(self) -> None:
        if self._place is None:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None and self._draft.until_eof:
            self._settle()
        self._end(ConnectionResetError(CUT_OFF))

    def data_received(self, data: bytes) -> None:
        self._draft.read += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            ours = isinstance(error.__context__, (TooLarge, ConnectionError))
            self._end(error.__context__ if ours else ConnectionAbortedError(str(error)))
            return
        if self._surplus or self._place is None:
            self._end(ConnectionAbortedError("more than was asked for"))
        elif self._draft.is_ready:
            self._settle()
        elif self._draft.is_too_large:
            self._end(TooLarge())

    def on_message_begin(self) -> None:
        self._surplus = self._draft.whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._draft.status:  # what follows a body is no header any more
            self._draft.head.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        draft = self._draft
        if draft.head.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise ConnectionAbortedError("an unknown transfer encoding")
        draft.status = self._parser.get_status_code()
        draft.events = Events() if draft.media_type == EVENTS else None

    def on_body(self, piece: bytes) -> None:
        draft = self._draft
        draft.size += len(piece)
        if draft.is_too_large:
            raise TooLarge
        if draft.events is None:
            draft.body.append(piece)
        elif not draft.found:
            draft.body = [data for data in draft.events.feed(piece) if self._is_answer(data)][:1]
            draft.found = bool(draft.body)

    def on_message_complete(self) -> None:
        if self._draft.status < FIRST_FINAL_STATUS:
            self._draft = Draft()
        else:
            self._draft.whole = True
            self._draft.keep = self._parser.should_keep_alive()

    def _settle(self) -> None:
        """Hands the answer over; the connection is kept when that ended where it should."""
        draft, self._draft = self._draft, Draft()
        place, self._place = self._place, None
        if place is not None and not place.done():
            place.set_result(draft.reply())
        if draft.keep:
            self._rests_since = time.monotonic()
        else:
            self._end()

    def _end(self, error: BaseException | None = None) -> None:
        transport, self._transport = self._transport, None
        place, self._place = self._place, None
        if error is not None and place is not None and not place.done():
            place.set_exception(error)
        if transport is not None:
            transport.abort()
