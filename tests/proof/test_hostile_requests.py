"""Hostile requests at the JSON-RPC doors, as bytes on a socket: seeded, counted, bounded."""

import json
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import pytest

from whole_hub import WholeHub, whole_hub

pytestmark = pytest.mark.requirement("hostile-requests")

SEED = 20_261_122
ROUNDS = 100
LONGEST_S = 10
SERVER_FAULTS = {500, 502, 504}
"""503 is a refusal under load, which has its own tests."""
MODERN = "2026-07-28"
LETTERS = 'aZ0 \u0000\u200b\u202e\ud7ff가힣😀\\"{}[]:,\n'


@dataclass(frozen=True)
class Request:
    """The parts of a request, each of which may be spoiled."""

    path: str
    headers: dict[str, str]
    body: bytes
    length: int | str | None = None
    chunks: tuple[bytes, ...] = ()
    cut: int | None = None

    @property
    def is_broken_off(self) -> bool:
        """Whether the hub would wait for more, so that only its end tells it that there is none."""
        return bool(self.cut is not None or self.length or self.chunks)

    def wire(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in self.headers.items())]
        if self.chunks:
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append(
                f"Content-Length: {len(self.body) if self.length is None else self.length}"
            )
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        whole = head + (b"".join(self.chunks) or self.body)
        return whole if self.cut is None else whole[: self.cut]


Spoil = Callable[[random.Random, Request, dict[str, object]], Request]


def encoded(message: object) -> bytes:
    return orjson.dumps(message)


def deep(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """Nesting that would exhaust a recursive reader."""
    depth = dice.choice([50, 500, 5_000, 200_000])
    opening = dice.choice([b"[", b'{"a":'])
    inner = opening * depth + (b"1" + (b"]" if opening == b"[" else b"}") * depth) * dice.randint(
        0, 1
    )
    body = encoded(message).replace(b'"arguments":{', b'"arguments":{"deep":' + inner + b",", 1)
    return Request(request.path, request.headers, body)


def wrong_member(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """A member of another type, or one too many, or one too few."""
    values: list[object] = [None, True, -1, 2**63, 1e308, "", "x" * 5_000, [], {}, [[]], LETTERS]
    spoiled = dict(message)
    name = dice.choice([*spoiled, "extra", "_meta"])
    if dice.random() < 0.2:
        spoiled.pop(name, None)
    else:
        spoiled[name] = dice.choice(values)
    return Request(request.path, request.headers, encoded(spoiled))


def wrong_argument(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """An argument that is no such thing."""
    values: list[object] = [
        0,
        366,
        -(2**70),
        1.5,
        "30",
        None,
        "*",
        "' OR 1=1 --",
        LETTERS,
        ["a"] * 500,
    ]
    arguments = {dice.choice(["student_id", "days", "include_history", "x"]): dice.choice(values)}
    params = {"name": "get_unified_profile", "arguments": arguments}
    body = json.dumps({**message, "params": params}).encode()
    return Request(request.path, request.headers, body)


def wrong_bytes(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """Bytes flipped, doubled or left out; half characters, surrogates, other encodings."""
    body = bytearray(encoded(message))
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(body))
        change = dice.choice(
            [b"", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\x00", b"\\ud800", b'"']
        )
        body[at : at + dice.randint(0, 2)] = change
    return Request(request.path, request.headers, bytes(body))


def wrong_headers(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """Headers that contradict the body, each other, or HTTP."""
    names = ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Accept", "Content-Type", "Host"]
    names += [
        "Content-Encoding",
        "Origin",
        "Mcp-Session-Id",
        "Last-Event-ID",
        "Expect",
        "X-Request-ID",
    ]
    values = ["", MODERN, "1999-01-01", "tools/list", "*/*", "text/html", "gzip", "x" * 3_000]
    values += [
        "http://evil.example",
        "100-continue",
        "a, b",
        "\u00ff",
        "application/json; charset=utf-16",
    ]
    headers = {**request.headers, dice.choice(names): dice.choice(values)}
    return Request(request.path, headers, encoded(message))


def wrong_framing(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """A length that lies, chunks that do not add up."""
    body = encoded(message)
    lies: list[int | str] = [
        0,
        len(body) - 1,
        "-1",
        "abc",
        "1e3",
        2**70,
        f"{len(body)}, {len(body)}",
    ]
    if dice.random() < 0.5:
        return Request(request.path, request.headers, body, length=dice.choice(lies))
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    bad = [chunk, b"zz\r\n" + body, b"ffffffffffffffff\r\n" + body, b"-5\r\n" + body]
    return Request(request.path, request.headers, body, chunks=(dice.choice(bad),))


def broken_off(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """The client goes away somewhere in the middle."""
    whole = Request(request.path, request.headers, encoded(message))
    return Request(request.path, request.headers, whole.body, cut=dice.randrange(len(whole.wire())))


def too_much(dice: random.Random, request: Request, message: dict[str, object]) -> Request:
    """A body over the limit, a batch over the limit, a string without an end."""
    bodies = [b" " * 200_000, b"[" + b",".join([encoded(message)] * 1_500) + b"]"]
    bodies.append(b'{"a":"' + b"x" * 150_000)
    return Request(request.path, request.headers, dice.choice(bodies))


SPOILS: tuple[Spoil, ...] = (
    deep,
    wrong_member,
    wrong_argument,
    wrong_bytes,
    wrong_headers,
    wrong_framing,
    broken_off,
    too_much,
)


@pytest.fixture
def hub(database_url: str, valkey_url: str) -> Iterator[WholeHub]:
    limits = {"rate_limit_per_minute": 0, "expensive_rate_limit_per_minute": 0}
    with whole_hub(database_url, valkey_url, max_body_bytes=100_000, **limits) as running:
        yield running


@pytest.mark.parametrize("path", ["/mcp", "/rpc"])
def test_no_hostile_request_breaks_or_hangs_a_door(hub: WholeHub, path: str) -> None:
    """Each is answered below 500, or its connection is closed; then a good one works."""
    dice = random.Random(SEED)  # noqa: S311 (a load that can be repeated)
    seen: dict[str, int] = {}
    for spoil in SPOILS:
        for _ in range(ROUNDS):
            request = spoil(dice, *good(hub, path))
            status = exchange(hub, request)
            assert status not in SERVER_FAULTS, (spoil.__name__, request)
            seen[spoil.__name__] = seen.get(spoil.__name__, 0) + (status is not None)
    assert exchange(hub, good(hub, path)[0]) == 200
    assert all(seen[spoil.__name__] for spoil in SPOILS if spoil is not broken_off), seen


def good(hub: WholeHub, path: str) -> tuple[Request, dict[str, object]]:
    """A request without any fault, and its message."""
    arguments = {"student_id": "550e8400-e29b-41d4-a716-446655440000"}
    params: dict[str, object] = {"name": "get_unified_profile", "arguments": arguments}
    headers = {
        "Host": "localhost",
        "X-API-Key": hub.key,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Connection": "close",
    }
    if path == "/mcp":
        prefix = "io.modelcontextprotocol"
        params["_meta"] = {f"{prefix}/protocolVersion": MODERN, f"{prefix}/clientCapabilities": {}}
        headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"}
        headers["Mcp-Name"] = "get_unified_profile"
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return Request(path, headers, encoded(message)), message


def exchange(hub: WholeHub, request: Request) -> int | None:
    """The status of the answer; None when the hub closed without one. TimeoutError for a hang."""
    place = urlsplit(hub.url)
    with socket.create_connection((str(place.hostname), place.port or 0), LONGEST_S) as line:
        answer = b""
        try:
            line.sendall(request.wire())
            if request.is_broken_off:
                line.shutdown(socket.SHUT_WR)
            while b"\r\n" not in answer and (part := line.recv(65_536)):
                answer += part
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            return None
    first = answer.split(b" ", 2)
    return int(first[1]) if len(first) > 1 else None
