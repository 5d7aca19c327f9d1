"""POSTs to one URL, over connections that are kept for the next ones."""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit

from student_hub.nodes.connection import Connection, IsAnswer, Reply

LONGEST_REST_S = 4.0
"""Shorter than servers keep a silent connection (uvicorn: 5 s), so that none dies under a call."""
IN_PATHS = "/%:@!$&'()*+,;=~?-._"
PORTS = {"http": 80, "https": 443}


class Unsendable(ValueError):
    """A header's value has characters that would end it."""


class Endpoint:
    """One URL; takes a new connection whenever all that it has are in use."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None
        self._free: list[Connection] = []

    def head(self, headers: Mapping[str, str]) -> bytes:
        """The first lines of a request with these headers, up to the length; Unsendable."""
        lines = [f"POST {_target(self._parts)} HTTP/1.1", *_own_headers(self._parts)]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any(char < " " or char == "\x7f" for line in lines for char in line):
            raise Unsendable
        return "\r\n".join([*lines, "Content-Length: "]).encode()

    async def post(self, head: bytes, body: bytes, end: float, is_answer: IsAnswer) -> Reply:
        """What comes back before the moment `end` of the loop's clock.

        Raises OSError for no or a broken connection, TimeoutError, or TooLarge.
        """
        connection = self._rested() or await self._connect(end)
        request = b"%b%d\r\n\r\n%b" % (head, len(body), body)
        try:
            return await connection.ask(request, end, is_answer)
        finally:
            if connection.is_free:
                self._free.append(connection)

    def close(self) -> None:
        while self._free:
            self._free.pop().close()

    def _rested(self) -> Connection | None:
        """The connection that was used last, as long as it is fit for use."""
        while self._free:
            connection = self._free.pop()
            if connection.is_free and connection.rested_s() < LONGEST_REST_S:
                return connection
            connection.close()
        return None

    async def _connect(self, end: float) -> Connection:
        loop = asyncio.get_running_loop()
        host, port = self._parts.hostname or "", self._parts.port or PORTS[self._parts.scheme]
        async with asyncio.timeout_at(end):
            _, connection = await loop.create_connection(Connection, host, port, ssl=self._tls)
        return connection


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe=IN_PATHS)


def _own_headers(parts: SplitResult) -> list[str]:
    lines = [f"Host: {parts.netloc.rpartition('@')[2]}", "User-Agent: student-hub"]
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"Authorization: Basic {base64.b64encode(login).decode()}")
    return lines
