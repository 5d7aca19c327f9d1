"""HTTP/1.1 connections: uvicorn's, with an answer in one write and no patience for dawdlers."""

import asyncio
from functools import lru_cache, partial
from typing import Any, Protocol
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from student_hub.platform.http.cycle import Cycle, Whole
from student_hub.platform.http.pace import Begin

LONGEST_HEAD = 64 * 1_024
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_LONG = b"HTTP/1.1 431 Head Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
NO_HOST = "a request names one host (RFC 9112, 3.2)"


class Gate(Protocol):
    """Who says whether a request may come in, and when it begins."""

    def turned_away(self, method: str, path: str) -> Whole | None: ...

    def begin(self, path: str, begin: Begin) -> None: ...


class Connection(HttpToolsProtocol):
    """One client's line. A head that is longer than 64 KiB or takes over 20 s ends it.

    So does a request with several hosts, or none: what stands before the hub might take it for
    another one than the hub does.

    One timer looks after it every few seconds: to set and cancel one for each request would cost
    more than most of what a request needs.
    """

    look_every_s = 5.0
    slowest_head_s = 20.0

    def __init__(self, *args: Any, gate: Gate | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gate = gate
        self._head_since: float | None = None
        self._head_length = 0
        self._hosts = 0
        self._idle_since: float | None = None
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._look = self.loop.call_later(self.look_every_s, self._look_after)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_since is not None:
            self._head_length += len(data)
            if self._head_length > LONGEST_HEAD:
                self._give_up(TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._idle_since = None
        self._head_since = self.loop.time()
        self._head_length = 0
        self._hosts = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect":
            self.expect_100_continue = value.strip().lower() == b"100-continue"
        elif name == b"host":
            self._hosts += 1
        # The parser keeps the blanks around values, which are not part of them (RFC 9110, 5.5).
        self.headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self._head_since = None
        self._describe()
        if self._hosts != 1 and (self._hosts or self.scope["http_version"] != "1.0"):
            raise ValueError(NO_HOST)  # answered with 400 like any other head that cannot be read
        before: Any = self.cycle
        scope: Any = self.scope
        cycle: Any = Cycle(self, scope, keep_alive=self._stays())
        self.cycle = cycle  # like uvicorn's own, as far as that looks at it
        if before is None or before.response_complete:
            self._begin(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._begin(self.pipeline.pop()[0])
        else:
            self._idle_since = self.loop.time()

    def _begin(self, cycle: Any) -> None:
        if self._gate is None:
            self._start_asgi_task(cycle, self.app)
            return
        refusal = self._gate.turned_away(cycle.method, cycle.path)
        if refusal is not None:
            cycle.answer(refusal)
        else:
            self._gate.begin(cycle.path, partial(self._start, cycle))

    def _start(self, cycle: Any) -> None:
        if not cycle.disconnected:
            self._start_asgi_task(cycle, self.app)

    def _stays(self) -> bool:
        return self.scope["http_version"] != "1.0" and bool(self.parser.should_keep_alive())

    def _describe(self) -> None:
        scope, version = self.scope, self.parser.get_http_version()
        scope["method"] = self.parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        path, raw_path, query = _parts(self.url)
        scope["path"] = self.root_path + path
        scope["raw_path"] = self.root_path.encode("ascii") + raw_path
        scope["query_string"] = query

    def _look_after(self) -> None:
        now = self.loop.time()
        if self._head_since is not None and now - self._head_since > self.slowest_head_s:
            self._give_up(TOO_LATE)
        elif self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()
        else:
            self._look = self.loop.call_later(self.look_every_s, self._look_after)

    def _give_up(self, answer: bytes) -> None:
        self._head_since = None
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


@lru_cache(maxsize=1_024)
def _parts(url: bytes) -> tuple[str, bytes, bytes]:
    """Path, as it was sent and decoded, and query."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""
