"""The load: a raw HTTP/1.1 keep-alive client in a process of its own, bounded in time and count.

`python -m benchmarks.load` reads a plan from standard input and writes what it saw to standard
output, both as JSON. It goes to loopback only.
"""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import orjson
import uvloop

LOOPBACK = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_S = 30.0
OK = b"HTTP/1.1 20"
FAILED = b'"isError":true'
CACHED = b'"cached":true'


@dataclass(frozen=True)
class Plan:
    """What to send: over how many connections, for how long, at most how many."""

    port: int
    pid: int
    requests: list[str]
    connections: int
    seconds: float
    most: int


@dataclass
class Seen:
    """What came of it; times in seconds, `cpu` what the server process used meanwhile."""

    times: list[float] = field(default_factory=list)
    failed: int = 0
    cached: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    first_failure: str = ""


class Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, wires: Iterator[bytes], seen: Seen, until: float) -> None:
        self._wires = wires
        self._seen = seen
        self._until = until
        self._got = b""
        self._needed = 0
        self._sent_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def next(self) -> None:
        wire = next(self._wires, None) if time.perf_counter() < self._until else None
        if wire is None:
            self._end()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(wire)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        if not self._needed:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            self._needed = end + 4 + _length(self._got[:end].lower())
        if len(self._got) >= self._needed:
            self._note(round(time.perf_counter() - self._sent_at, 6))
            self._got, self._needed = b"", 0
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._seen.failed += 1
            self._seen.first_failure = self._seen.first_failure or f"connection lost: {exc}"
            self._end()

    def _note(self, seconds: float) -> None:
        self._seen.times.append(seconds)
        if not self._got.startswith(OK) or FAILED in self._got:
            self._seen.failed += 1
            self._seen.first_failure = self._seen.first_failure or self._got[-600:].decode()
        if CACHED in self._got:
            self._seen.cached += 1

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    _, there, rest = head.partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if there else 0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def drive(plan: Plan) -> Seen:
    """Opens all connections, then measures."""
    loop = asyncio.get_running_loop()
    decoded = [base64.b64decode(text) for text in plan.requests]
    wires = (decoded[number % len(decoded)] for number in range(plan.most))
    seen = Seen()
    until = time.perf_counter() + plan.seconds + plan.connections / 1_000
    opened = [
        (await loop.create_connection(lambda: Connection(wires, seen, until), LOOPBACK, plan.port))
        for _ in range(plan.connections)
    ]
    connections = [connection for _, connection in opened]
    cpu, start = _cpu_s(plan.pid), time.perf_counter()
    for connection in connections:
        connection.next()
    async with asyncio.timeout(LONGEST_S):
        await asyncio.gather(*(connection.done for connection in connections))
    seen.seconds, seen.cpu = time.perf_counter() - start, _cpu_s(plan.pid) - cpu
    return seen


if __name__ == "__main__":
    wanted = Plan(**orjson.loads(sys.stdin.buffer.read()))
    told = orjson.dumps(asdict(uvloop.run(drive(wanted))))
    with open(sys.stdout.fileno(), "wb", closefd=False) as whole:  # unbuffered, one may write less
        whole.write(told)
