"""One request and its answer on a connection: what an ASGI app receives from and sends to."""

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

import structlog
from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"connection: close\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"
PHRASES = {int(status): status.phrase for status in HTTPStatus}
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
log = structlog.get_logger()


class Line(Protocol):
    """The connection, as far as a cycle needs it."""

    transport: asyncio.Transport
    flow: FlowControl
    loop: asyncio.AbstractEventLoop
    expect_100_continue: bool
    server_state: ServerState

    def on_response_complete(self) -> None: ...


class Whole(NamedTuple):
    """An answer that is there already, its length among its headers."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Cycle:
    """Does for its connection what uvicorn's `RequestResponseCycle` does, in fewer steps.

    An answer whose length is known leaves with its head in one write.
    """

    def __init__(self, line: Line, scope: Scope, *, keep_alive: bool) -> None:
        self._line = line
        self._scope: Scope | None = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._bodiless = self.method == "HEAD"
        self._waits_for_continue = line.expect_100_continue
        self._heard: asyncio.Future[None] | None = None
        self._given = False
        self._head = b""
        self._wrote = False
        self._chunked = False
        self._missing = 0
        self.keep_alive = keep_alive
        self.disconnected = False
        self.body = bytearray()
        self.more_body = True
        self.response_started = False
        self.response_complete = False

    @property
    def message_event(self) -> "Cycle":
        """What the connection sets when something has come."""
        return self

    def set(self) -> None:
        """Something has come, or the client has gone."""
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)

    async def run_asgi(self, app: ASGIApp) -> None:
        """Lets the app answer; whatever it leaves undone ends the connection."""
        # The scope leads back to this cycle, which would make garbage of both.
        scope, self._scope = self._scope or {}, None
        try:
            await app(scope, self.receive, self.send)
        except Exception:  # behind this edge nobody answers
            log.exception("app_failed")
        finally:
            if not (self.response_complete or self.disconnected):
                self._fail()

    def answer(self, whole: Whole) -> None:
        """Answers at once, without asking an app."""
        self._scope = None
        self._start(whole.status, whole.headers)
        self._go_on(whole.body, more=False)

    async def receive(self) -> Message:
        line = self._line
        if self._waits_for_continue and not line.transport.is_closing():
            self._waits_for_continue = False
            line.transport.write(CONTINUE)
        while not (self.disconnected or self.response_complete):
            if self.body or not (self.more_body or self._given):
                return self._take()
            line.flow.resume_reading()
            self._heard = line.loop.create_future()
            await self._heard
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        flow = self._line.flow
        if flow.write_paused and not self.disconnected:
            await flow.drain()
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError("the answer was complete already")
        if self.response_started:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._start(message["status"], message.get("headers", ()))

    def _take(self) -> Message:
        body, self.body = bytes(self.body), bytearray()
        self._given = not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.response_started, self._waits_for_continue = True, False
        parts = [_status_line(status)]
        length: bytes | None = None
        for name, value in (*self._line.server_state.default_headers, *headers):
            if name == b"content-length":
                length = value
            parts.append(b"%b: %b\r\n" % (name, value))
        if CLOSE in parts:
            self.keep_alive = False
        elif not self.keep_alive:
            parts.append(CLOSE)
        if length is not None:
            self._missing = int(length)
        elif not self._bodiless and status not in BODILESS:
            self._chunked = True
            parts.append(CHUNKED)
        self._head = _joined(parts)
        if self._chunked:
            self._write(b"")

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                body += LAST_CHUNK
        elif self._bodiless:
            body = b""
        else:
            self._missing -= len(body)
            if self._missing < 0 or (self._missing and not more):
                raise RuntimeError("the answer is not as long as its head says")
        self._write(body)
        if not more:
            self._end()

    def _write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        if data:
            self._wrote = True
            self._line.transport.write(data)

    def _end(self) -> None:
        self.response_complete = True
        if self._heard is not None:
            self.set()
        if not self.keep_alive:
            self._line.transport.close()
        self._line.on_response_complete()

    def _fail(self) -> None:
        if not self._wrote:
            self._line.transport.write(FAILED)
        self._line.transport.close()


def _joined(lines: list[bytes]) -> bytes:
    """The head of an answer; RuntimeError when a header would make another one."""
    head = b"".join(lines)
    count = len(lines)
    if head.count(b"\n") != count or head.count(b"\r") != count or b"\0" in head:
        raise RuntimeError("a header has what no header may have")
    return head + b"\r\n"


@lru_cache
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {PHRASES.get(status, '')}\r\n".encode()
