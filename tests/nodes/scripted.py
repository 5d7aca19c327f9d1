"""A server that says byte for byte what a test tells it to, on a real socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from student_hub.nodes.connection import Reply
from student_hub.nodes.endpoint import Endpoint

LONGEST_S = 10.0
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Scripted:
    """What is said to each request, in pieces; what was asked, and over how many connections."""

    says: Sequence[bytes] = (JSON,)
    then_ends: bool = False
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    url: str = ""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    lines: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        self.lines.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._answer(reader, writer)
        finally:
            self.ended += 1
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.asked.append(await _request(reader))
            for piece in self.says:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if self.then_ends:
                writer.write_eof()
                await reader.read()
                return

    async def hear(self, endpoint: Endpoint, *, within_s: float = LONGEST_S) -> Reply:
        """What an endpoint makes of it."""
        end = asyncio.get_running_loop().time() + within_s
        return await endpoint.post(endpoint.head({}), b"{}", end, lambda data: b"answer" in data)


@asynccontextmanager
async def scripted(
    server: Scripted, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Scripted, Endpoint]]:
    """The server, until the block ends, and an endpoint that asks it."""
    listening = await asyncio.start_server(server.take, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}/mcp"
    endpoint = Endpoint(server.url)
    try:
        yield server, endpoint
    finally:
        endpoint.close()
        listening.close()
        for line in server.lines:
            line.cancel()
        await asyncio.gather(*server.lines, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)
