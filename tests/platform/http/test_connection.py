"""HTTP/1.1 as the hub's own connections speak it, beside uvicorn's, byte by byte."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from student_hub.platform.http.connection import LONGEST_HEAD, Connection

pytestmark = pytest.mark.requirement("connections")

BODY = b"x" * 200_000


class Hasty(Connection):
    """Has as little patience as a test."""

    look_every_s = 0.05
    slowest_head_s = 0.2


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers in the way that the path names."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    path = scope["path"]
    if path == "/broken":
        raise RuntimeError("as asked")
    if path == "/injected":
        headers = [(b"x-note", b"a\r\nx-other: b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    elif path == "/short":
        headers = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"abc"})
    elif path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"", b"three"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})
    else:
        await answer(scope, body, send)


async def answer(scope: Scope, body: bytes, send: Send) -> None:
    status = {"/nothing": 204, "/odd": 299}.get(scope["path"], 200)
    said = f"{scope['method']} {scope['path']} {scope['query_string']!r} {len(body)}".encode()
    content = BODY if scope["path"] == "/large" else b"" if status == 204 else said
    headers = [(b"content-length", str(len(content)).encode())] if status != 204 else []
    if scope["path"] == "/bye":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def served(http: str | type[asyncio.Protocol]) -> Iterator[int]:
    """The port of the app, behind that protocol."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, http=http, loop="uvloop", ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(60)


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """Of our connections, and of uvicorn's."""
    with ExitStack() as stack:
        yield stack.enter_context(served(Hasty)), stack.enter_context(served("httptools"))


async def talk(port: int, *pieces: bytes) -> bytes:
    """All that comes back until the connection ends; what it was sent, piece by piece."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):  # when it was ended before all was read
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        said = await ended(reader)
        writer.close()
    return re.sub(rb"date: [^\r]+\r\n", b"", said)


async def ended(reader: asyncio.StreamReader) -> bytes:
    said = b""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            said += data
    return said


END = b"Connection: close\r\n\r\n"
GET = b"GET %b HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\n"
TALKS = {
    "one": [GET % b"/x" + END],
    "query": [GET % b"/a%20b/%ec%9d%b4?x=1&y=%20" + END],
    "whole URL": [GET % b"http://localhost/x?y" + END],
    "head": [b"HEAD /x HTTP/1.1\r\nHost: x\r\n" + END],
    "head of a stream": [b"HEAD /stream HTTP/1.1\r\nHost: x\r\n" + END],
    "pipelined": [GET % b"/1" + b"\r\n" + GET % b"/large" + b"\r\n" + GET % b"/3" + END],
    "kept alive": [GET % b"/1" + b"\r\n", GET % b"/2" + b"\r\n", GET % b"/3" + END],
    "old": [b"GET /x HTTP/1.0\r\n\r\n"],
    "old, kept alive": [b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", GET % b"/2" + END],
    "in pieces": [
        b"GE",
        b"T /",
        b"x HTTP/1.1\r",
        b"\nHo",
        b"st: x\r\nConnection: cl",
        b"ose\r\n\r",
        b"\n",
    ],
    "nothing": [GET % b"/nothing" + END],
    "odd status": [GET % b"/odd" + END],
    "stream": [GET % b"/stream" + END],
    "large": [GET % b"/large" + END],
    "the app ends it": [GET % b"/bye" + b"\r\n"],
    "body": [POST + b"Content-Length: 4\r\n" + END + b"abcd"],
    "body in parts": [POST + b"Content-Length: 6\r\n" + END, b"abc", b"def"],
    "large body": [POST + b"Content-Length: 300000\r\n" + END, b"x" * 150_000, b"x" * 150_000],
    "chunks": [POST + b"Transfer-Encoding: chunked\r\n" + END, b"3\r\nabc\r\n", b"0\r\n\r\n"],
    "continue": [POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n" + END, b"ab"],
    "no HTTP": [b"SSH-2.0-x\r\n\r\n"],
    "upgrade": [GET % b"/x" + b"Upgrade: websocket\r\nConnection: upgrade, close\r\n\r\n"],
}


@pytest.mark.parametrize("name", TALKS)
async def test_what_is_said_is_what_uvicorn_says(ports: tuple[int, int], name: str) -> None:
    """Whatever is asked in whatever pieces, every byte of the answers is the same."""
    ours, theirs = ports
    assert await talk(ours, *TALKS[name]) == await talk(theirs, *TALKS[name])


@pytest.mark.parametrize("path", [b"/broken", b"/injected", b"/short"])
async def test_a_failing_app_is_a_bare_500_and_the_end(ports: tuple[int, int], path: bytes) -> None:
    """Nothing has left of a header that would be two, or of an answer shorter than it says."""
    said = await talk(ports[0], GET % path + b"\r\n")
    assert said.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"x-other" not in said
    assert said.endswith(b"\r\n\r\n")


async def test_blanks_around_a_header_value_do_not_count(ports: tuple[int, int]) -> None:
    """They are no part of it (RFC 9110, 5.5): `close` with a blank behind it is `close`."""
    assert (await talk(ports[0], GET % b"/x" + b"Connection: close \t\r\n\r\n")).endswith(b"0")


async def test_a_head_that_is_never_finished_ends_the_connection(ports: tuple[int, int]) -> None:
    """408 after a while, or an end without it, however busily its bytes drip."""
    drops = [GET % b"/x", *[b"X-Drop: 1\r\n"] * 60, END]
    said = await talk(ports[0], *drops)
    assert said.startswith(b"HTTP/1.1 408 ") or not said


async def test_a_head_without_end_is_cut_off(ports: tuple[int, int]) -> None:
    """431, or an end without it, when it has grown beyond any use."""
    endless = GET % b"/x" + b"X-Long: " + b"x" * (LONGEST_HEAD * 2)
    said = await talk(ports[0], endless, *[b"x"] * 40, b"\r\n" + END)
    assert said.startswith(b"HTTP/1.1 431 ") or not said


async def test_a_connection_in_use_outlives_any_look_after_it(ports: tuple[int, int]) -> None:
    """Requests with pauses between them are answered on one connection."""
    pieces = [GET % b"/x" + b"\r\n"] * 40
    said = await talk(ports[0], *pieces, GET % b"/last" + END)
    assert said.count(b"HTTP/1.1 200 OK") == 41


HOSTS = {
    "none": b"GET /x HTTP/1.1\r\n",
    "two": b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
    "two alike": b"GET /x HTTP/1.1\r\nHost: a\r\nhost: a\r\n",
    "two in HTTP/1.0": b"GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
}


@pytest.mark.parametrize("head", HOSTS)
async def test_a_request_names_one_host(ports: tuple[int, int], head: str) -> None:
    """400 and the end (RFC 9112, 3.2): of two, a proxy might go by the one and we by the other."""
    said = await talk(ports[0], HOSTS[head] + b"\r\n" + GET % b"/second" + END)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"/second" not in said


SECOND = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 37\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 37\r\n\r\n",
    "a sign": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length beyond all numbers": b"Content-Length: 18446744073709551616\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"X: a\r\n Content-Length: 37\r\n\r\n",
    "bare line feeds": b"Transfer-Encoding: chunked\n\n0\n\n",
    "a chunk's length that wraps": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    "a chunk's length with a sign": b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n",
}


@pytest.mark.parametrize("shape", AMBIGUOUS)
async def test_no_second_request_is_smuggled_in_a_first(ports: tuple[int, int], shape: str) -> None:
    """Where a body ends in two places for two readers, it is refused and the connection ends."""
    said = await talk(ports[0], POST + AMBIGUOUS[shape] + SECOND)
    assert b"smuggled" not in said
    assert b"HTTP/1.1 400 " in said
