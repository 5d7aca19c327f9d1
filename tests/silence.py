"""A line to a server that falls silent: open, and with no answer on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Line:
    """Carries bytes both ways until `silent` is set: from then on it swallows them."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._carrying: set[asyncio.Task[None]] = set()
        self.silent = False
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Joins a new connection to one of its own to the server."""
        answers, questions = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        for source, sink in ((reader, questions), (answers, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._carrying.add(task)

    def named(self, port: int) -> None:
        account = self._parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._parts._replace(netloc=f"{account}@127.0.0.1:{port}"))

    async def hang_up(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while piece := await source.read(65_536):
                    if not self.silent:
                        sink.write(piece)
        finally:
            sink.close()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """A line to the server of that URL, until the block ends."""
    line = Line(url)
    server = await asyncio.start_server(line.take, "127.0.0.1", 0)
    line.named(server.sockets[0].getsockname()[1])
    try:
        yield line
    finally:
        server.close()
        await line.hang_up()
