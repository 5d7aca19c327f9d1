"""What the layers and doors of one request tell each other; it lives in the scope's state."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from starlette.types import Message, Scope, Send

from student_hub.platform.errors import Fact
from student_hub.platform.limits.headers import Header, headers_of
from student_hub.platform.limits.permit import Permit

Headers: TypeAlias = Iterable[Header]
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
GUARDED = frozenset(name for name, _ in SECURITY_HEADERS)


class Exchange:
    """A request and its answer, made at the edge.

    `note` is what its line in the log shall say, `permits` are those it needs; what is known of
    them goes out with the answer. `heads` are the request's headers by name, of several with one
    name the first. `overdue` says why it was given up, `reads` that it waits for the client.
    """

    __slots__ = (
        "_send",
        "finished",
        "heads",
        "note",
        "overdue",
        "permits",
        "reads",
        "request_id",
        "started",
        "status",
        "task",
    )

    def __init__(
        self,
        request_id: str,
        send: Send,
        heads: Mapping[bytes, bytes],
        permits: list[Permit] | None = None,
    ) -> None:
        self.request_id = request_id
        self.heads = heads
        self.started = time.perf_counter()
        self.task: asyncio.Task[object] | None = None
        self.note: dict[str, Fact] = {}
        self.permits: list[Permit] = [] if permits is None else permits
        self.reads = False
        self.overdue: str | None = None
        self.status = 0
        self.finished = False
        self._send = send

    async def send(self, message: Message) -> None:
        """Sends a part of the answer; the first one with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._headers(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.finished = not message.get("more_body", False)
        await self._send(message)

    def part(self) -> "Exchange":
        """One of several calls in this request: with a note of its own."""
        return Exchange(self.request_id, self._send, self.heads, self.permits)

    def _headers(self, own: Headers) -> list[Header]:
        headers = list(own)
        said = dict(headers)
        if GUARDED.isdisjoint(said):
            headers += SECURITY_HEADERS
        else:
            headers += [header for header in SECURITY_HEADERS if header[0] not in said]
        if self.permits:
            headers += headers_of(self.permits)
        headers.append((b"x-request-id", self.request_id.encode()))
        return headers


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that this request belongs to."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange
