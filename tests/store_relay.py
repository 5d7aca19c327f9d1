"""A relay before a store: counts in how many pieces commands come, and speaks TLS if it is to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class Relay:
    """Hands everything on to the store of that URL."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._parts = urlsplit(url)
        self._tls = tls
        self._lines: set[asyncio.Task[object]] = set()
        self.pieces = 0
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Relay"]:
        """Relays until the block ends; connections must have been closed by then."""
        async with await asyncio.start_server(self._take, "127.0.0.1", 0, ssl=self._tls) as server:
            port = server.sockets[0].getsockname()[1]
            netloc = f":{self._parts.password}@127.0.0.1:{port}"
            scheme = "redis" if self._tls is None else "rediss"
            self.url = urlunsplit(self._parts._replace(scheme=scheme, netloc=netloc))
            yield self
        if self._lines:
            await asyncio.wait(self._lines, timeout=20)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._lines.add(task)
        back, forth = await asyncio.open_connection(self._parts.hostname, self._parts.port)

        async def hand_on(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: int
        ) -> None:
            while data := await reader.read(65_536):
                self.pieces += counts
                writer.write(data)
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(hand_on(reader, forth, 1), hand_on(back, writer, 0))
