"""The floor: a bare ASGI handler that GETs a value from Valkey and sends it, and does nothing else.

`python -m benchmarks.floor PORT REDIS_URL lean|redis-py`. `lean` speaks to Valkey over one
pipelined connection of its own: nothing on Python and uvicorn gets much lower. `redis-py` asks
through the usual client library.
"""

import asyncio
import sys
from collections import deque
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from starlette.types import Receive, Scope, Send

from benchmarks.nodes import serve

PREFIX = b"bench:"
CONNECTIONS = 32


class Store(Protocol):
    """Where the value is."""

    async def get(self, name: bytes) -> bytes: ...


class Lean(asyncio.Protocol):
    """GET over one connection, many at a time, answers in order."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._got = b""

    @classmethod
    async def connect(cls, url: str) -> "Lean":
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        _, lean = await loop.create_connection(cls, str(parts.hostname), int(parts.port or 6379))
        await lean.ask(f"AUTH {unquote(parts.password or '')}\r\n".encode())
        await lean.ask(f"SELECT {parts.path[1:] or 0}\r\n".encode())
        return lean

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    async def ask(self, command: bytes) -> bytes:
        place: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._transport.write(command)
        return await place

    async def get(self, name: bytes) -> bytes:
        return await self.ask(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name))

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n")) >= 0:
            head, start = self._got[:end], end + 2
            if head[:1] == b"$":
                stop = start + int(head[1:])
                if len(self._got) < stop + 2:
                    return
                value, self._got = self._got[start:stop], self._got[stop + 2 :]
            else:
                value, self._got = head, self._got[start:]
            self._waiting.popleft().set_result(value)


class Usual:
    """GET through redis-py, with a pool of connections."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=30)
        self._redis = Redis.from_pool(pool)

    async def get(self, name: bytes) -> bytes:
        return cast("bytes", await self._redis.get(name))


class Floor:
    """ASGI: the last part of the path names the value."""

    def __init__(self, url: str, kind: str) -> None:
        self._url = url
        self._kind = kind
        self._store: Store | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] != "http":
            raise RuntimeError("no lifespan here")
        if self._store is None:
            lean = self._kind == "lean"
            self._store = await Lean.connect(self._url) if lean else Usual(self._url)
        name = scope["path"].rpartition("/")[2].encode()
        body = await self._store.get(PREFIX + name) if name != b"livez" else b"{}"
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    serve(Floor(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
