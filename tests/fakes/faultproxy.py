"""A TCP proxy that goes wrong on purpose: it stands between the hub and a node, on loopback.

What it does is set while it runs and holds for old connections too. Chance comes from a seed.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit, urlunsplit

PIECE = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Faults:
    """What is wrong with the line; the default is nothing."""

    refuse: bool = False
    """Nobody listens, and old connections are reset."""
    slow_accept_s: float = 0.0
    """A connection is taken and nothing is read for so long."""
    reset: bool = False
    """Each request is answered with a reset."""
    flap: bool = False
    """Every second request is answered with a reset."""
    black_hole: bool = False
    """Requests are swallowed; no answer, no end."""
    latency_s: float = 0.0
    jitter_s: float = 0.0
    """Each piece of an answer comes later: by the latency and a random part of the jitter."""
    drip_s: float = 0.0
    """Answers come byte by byte, so far apart."""
    cut_after: int | None = None
    """The connection ends after so many bytes of answers."""
    corrupt: float = 0.0
    """This share of an answer's bytes is another one."""


WELL = Faults()


class FaultProxy:
    """One proxy before one server; counts connections and the POST requests that came."""

    def __init__(self, url: str, seed: int) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._random = Random(seed)  # noqa: S311 (a seeded fault)
        self._kept = _bound(0)  # keeps the port while nobody listens
        port = self._kept.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}"))
        self.faults = WELL
        self.connections = 0
        self.requests = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def be(self, faults: Faults) -> None:
        """From now on the line is like that."""
        self.faults = faults
        if faults.refuse:
            await self._stop_listening()
            await self._hang_up()
        elif self._server is None:
            listener = _bound(self._kept.getsockname()[1])
            self._server = await asyncio.start_server(self._take, sock=listener)

    async def close(self) -> None:
        await self._stop_listening()
        await self._hang_up()
        self._kept.close()

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _hang_up(self) -> None:
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = asyncio.create_task(self._line(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up: asyncio.StreamWriter | None = None
        try:
            with suppress(ConnectionError):
                await asyncio.sleep(self.faults.slow_accept_s)
                up_reader, up = await asyncio.open_connection(*self._target)
                await _either(self._requests(reader, up), self._answers(up_reader, writer))
        finally:
            for end in (writer, up):
                _reset(end)

    async def _requests(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            came = data.count(b"POST ")
            self.requests += came
            if self.faults.reset or (self.faults.flap and came and self.requests % 2):
                return
            if not self.faults.black_hole:
                up.write(data)
                await up.drain()

    async def _answers(self, up: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await up.read(PIECE):
            faults = self.faults
            await asyncio.sleep(faults.latency_s + self._random.uniform(0, faults.jitter_s))
            if faults.cut_after is not None:
                data = data[: max(0, faults.cut_after - sent)]
            sent += len(data)
            await self._send(self._corrupted(data, faults.corrupt), writer, faults.drip_s)
            if faults.cut_after is not None and sent >= faults.cut_after:
                return

    async def _send(self, data: bytes, writer: asyncio.StreamWriter, drip_s: float) -> None:
        size = 1 if drip_s else PIECE
        for at in range(0, len(data), size):
            await asyncio.sleep(drip_s)
            writer.write(data[at : at + size])
            await writer.drain()

    def _corrupted(self, data: bytes, share: float) -> bytes:
        if not share:
            return data
        return bytes(
            self._random.randrange(256) if self._random.random() < share else b for b in data
        )


@asynccontextmanager
async def proxied(url: str, seed: int = 0) -> AsyncIterator[FaultProxy]:
    """A proxy before the server at that URL, until the block ends; its own URL is `url`."""
    proxy = FaultProxy(url, seed)
    await proxy.be(WELL)
    try:
        yield proxy
    finally:
        await proxy.close()


def _bound(port: int) -> socket.socket:
    """A socket on that port of loopback, which another one may share."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


async def _either(*ways: Coroutine[None, None, None]) -> None:
    """Runs all; when one ends, the others end too."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(end: asyncio.StreamWriter | None) -> None:
    if end is None:
        return
    with suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    end.transport.abort()
