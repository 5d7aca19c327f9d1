"""HTTP as nodes may say it, and as nobody may: against servers that say it byte for byte."""

import asyncio
from random import Random

import aiohttp
import pytest

from nodes.lanes import eventually
from nodes.scripted import JSON, Scripted, scripted
from student_hub.nodes.connection import MOST_BYTES, Reply, TooLarge
from student_hub.nodes.endpoint import Endpoint

pytestmark = pytest.mark.requirement("node-http")

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = (
    OK + b"Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
KEPT: dict[str, bytes] = {
    "a length": OK + b"Content-Length: 7\r\n\r\nan answ",
    "chunks": CHUNKED + b"3\r\nan \r\n4\r\nansw\r\n0\r\n\r\n",
    "chunks with extensions": CHUNKED + b"7;a=b\r\nan answ\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"7\r\nan answ\r\n0\r\nContent-Type: text/html\r\n\r\n",
    "something before": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
    + OK
    + b"Content-Length: 7\r\n\r\nan answ",
    "an empty header": OK + b"X:\r\nContent-Length: 7\r\n\r\nan answ",
}
ENDED: dict[str, bytes] = {
    "no length": OK + b"\r\nan answ",
    "an old server": b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nan answ",
    "a last answer": OK + b"Connection: close\r\nContent-Length: 7\r\n\r\nan answ",
}
REFUSED: dict[str, bytes] = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "HTTP/0.9": b"an answer\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\nan answ",
    "the same length twice": OK + b"Content-Length: 7\r\nContent-Length: 7\r\n\r\nan answ",
    "a length and chunks": OK + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n0\r\n\r\n",
    "a signed length": OK + b"Content-Length: +7\r\n\r\nan answ",
    "a length over 64 bits": OK + b"Content-Length: 99999999999999999999\r\n\r\nan answ",
    "another encoding": OK + b"Transfer-Encoding: gzip\r\n\r\nan answ",
    "two encodings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a chunk size with a blank": CHUNKED + b"7 \r\nan answ\r\n0\r\n\r\n",
    "a chunk that is longer": CHUNKED + b"2\r\nan answ\r\n0\r\n\r\n",
    "lines without returns": b"HTTP/1.1 200 OK\nContent-Length: 7\n\nan answ",
    "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 7\r\n\r\nan answ",
    "a blank before the colon": OK + b"Content-Length : 7\r\n\r\nan answ",
    "a NUL in a header": OK + b"X: \0\r\nContent-Length: 7\r\n\r\nan answ",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 7\r\n\r\nan answ",
    "another protocol": b"HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nan answ",
    "two answers": JSON + JSON,
    "more after the last": OK + b"Connection: close\r\nContent-Length: 7\r\n\r\nan answer",
}


def plain(reply: Reply) -> tuple[int, bytes]:
    return reply.status, reply.body


@pytest.mark.parametrize("answer", KEPT.values(), ids=KEPT)
async def test_an_answer_is_read_in_whatever_pieces_it_comes(answer: bytes) -> None:
    """Whole, and a byte at a time; the connection is kept for the next question."""
    for says in ([answer], [answer[at : at + 1] for at in range(len(answer))]):
        async with scripted(Scripted(says)) as (server, endpoint):
            assert plain(await server.hear(endpoint)) == (200, b"an answ")
            assert plain(await server.hear(endpoint)) == (200, b"an answ")
            assert server.connections == 1


@pytest.mark.parametrize("answer", ENDED.values(), ids=ENDED)
async def test_what_ends_its_connection_is_read_and_not_kept(answer: bytes) -> None:
    """Without a length the connection's end is the answer's."""
    async with scripted(Scripted([answer], then_ends=True)) as (server, endpoint):
        for _ in range(2):
            assert plain(await server.hear(endpoint)) == (200, b"an answ")
        assert server.connections == 2


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
async def test_what_can_be_read_in_two_ways_is_not_read_at_all(answer: bytes) -> None:
    """Nothing of it is believed, and its connection is closed."""
    async with scripted(Scripted([answer])) as (server, endpoint):
        with pytest.raises(ConnectionError):
            await server.hear(endpoint)
        await eventually(lambda: server.ended == 1)


@pytest.mark.parametrize("answer", [*KEPT.values(), STREAM + b"10\r\ndata: an answer\n\n"])
async def test_an_answer_that_is_cut_off_is_none(answer: bytes) -> None:
    """Wherever the connection ends, but where the answer does."""
    for end in range(0, len(answer) - 12, 7):
        async with scripted(Scripted([answer[:end]], then_ends=True)) as (server, endpoint):
            with pytest.raises(ConnectionError):
                await server.hear(endpoint)


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    """It comes behind an answer that was whole; the next question goes over another connection."""
    async with scripted(Scripted()) as (server, endpoint):
        await server.hear(endpoint)
        server.writers[0].write(JSON)
        await eventually(lambda: server.ended == 1)
        assert plain(await server.hear(endpoint)) == (200, b"{}")
        assert server.connections == 2


TOO_LARGE: dict[str, list[bytes]] = {
    "a length": [OK + b"Content-Length: 300000\r\n\r\n", *[b" " * 65_536] * 5],
    "large chunks": [CHUNKED, *[b"10000\r\n%b\r\n" % (b" " * 65_536)] * 5],
    "chunks of a byte": [CHUNKED, *[b"1;%b\r\n \r\n" % (b"x" * 1_000)] * 1_100],
    "until the end": [OK + b"\r\n", *[b" " * 65_536] * 5],
    "a header": [OK + b"X: ", *[b"x" * 10_000] * 5],
    "headers": [OK, *[b"X: y\r\n" * 1_000] * 8],
    "a stream without an event": [STREAM, *[b"10000\r\n%b\r\n" % (b":" * 65_536)] * 5],
    "a stream of other events": [
        STREAM,
        *[b"10000\r\n%b\r\n" % (b"data: x\n\n" * 8_192)[:65_536]] * 5,
    ],
}


@pytest.mark.parametrize("says", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_no_more_is_read_than_an_answer_may_have(says: list[bytes]) -> None:
    """A body of 256 KiB, however it is framed; a head of 32 KiB."""
    async with scripted(Scripted(says)) as (server, endpoint):
        with pytest.raises(TooLarge):
            await server.hear(endpoint)
        await eventually(lambda: server.ended == 1)


async def test_the_largest_answer_is_taken() -> None:
    """256 KiB to the byte."""
    head = OK + b"Content-Length: %d\r\n\r\n" % MOST_BYTES
    async with scripted(Scripted([head, b" " * MOST_BYTES])) as (server, endpoint):
        assert len((await server.hear(endpoint)).body) == MOST_BYTES


STREAMS: dict[str, bytes] = {
    "lines": b"data: an answer\n\n",
    "returns": b"event: message\r\nid: 7\r\ndata: an answer\r\n\r\n",
    "old returns": b"data:an answer\r\r",
    "two lines": b"data: an answer\ndata:\ndata: more\n\n",
    "others before": b": hi\n\ndata: a notice\n\nevent: x\n\ndata: an answer\n\ndata: answer 2\n\n",
}


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
async def test_of_a_stream_the_first_event_that_answers_is_taken(events: bytes) -> None:
    """Whole, and a byte at a time; its end is not waited for."""
    for size in (len(events), 1):
        pieces = [events[at : at + size] for at in range(0, len(events), size)]
        says = [STREAM, *[b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]]
        async with scripted(Scripted(says)) as (server, endpoint):
            reply = await server.hear(endpoint)
        assert reply.body.split(b"\n")[0] == b"an answer"
        assert reply.media_type == b"text/event-stream"


async def test_a_stream_that_ends_with_its_answer_leaves_the_connection_free() -> None:
    """And one that ends without any is an answer of no bytes."""
    whole = STREAM + b"11\r\ndata: an answer\n\n\r\n0\r\n\r\n"
    async with scripted(Scripted([whole])) as (server, endpoint):
        assert (await server.hear(endpoint)).body == b"an answer"
        server.says = [STREAM + b"0\r\n\r\n"]
        assert (await server.hear(endpoint)).body == b""
        assert server.connections == 1


async def test_the_session_and_the_kind_are_those_of_the_first_headers() -> None:
    """A header that is said twice, and one behind the body, change nothing."""
    head = b"mcp-session-id: one\r\nMCP-Session-Id: two\r\ncontent-type: Application/JSON;x\r\n"
    says = [OK + head + b"Transfer-Encoding: chunked\r\n\r\n0\r\nMcp-Session-Id: three\r\n\r\n"]
    async with scripted(Scripted(says)) as (server, endpoint):
        reply = await server.hear(endpoint)
    assert (reply.session, reply.media_type) == ("one", b"application/json")


async def test_who_goes_away_or_waits_too_long_takes_the_connection_along() -> None:
    """An answer that comes later must not be taken for the next question's."""
    async with scripted(Scripted([])) as (server, endpoint):
        with pytest.raises(TimeoutError):
            await server.hear(endpoint, within_s=0.05)
        await eventually(lambda: server.ended == 1)
        leaving = asyncio.create_task(server.hear(endpoint))
        await eventually(lambda: len(server.asked) == 2)
        leaving.cancel()
        await asyncio.wait({leaving})
        await eventually(lambda: server.ended == 2)
        server.says = [JSON]
        assert plain(await server.hear(endpoint)) == (200, b"{}")
        assert server.connections == 3


@pytest.mark.parametrize("seed", range(3))
async def test_good_answers_mean_to_us_what_they_mean_to_another_client(seed: int) -> None:
    """100 seeded answers in every framing, in pieces: the same status and bytes as by aiohttp."""
    chance = Random(seed)  # noqa: S311 (a repeatable disorder)
    async with scripted(Scripted()) as (server, endpoint), aiohttp.ClientSession() as other:
        for _ in range(100):
            server.says, server.then_ends = an_answer(chance)
            async with other.post(server.url, data=b"{}") as response:
                theirs = response.status, await response.read()
            assert plain(await server.hear(endpoint)) == theirs


@pytest.mark.parametrize("seed", range(3))
async def test_spoilt_answers_are_answers_or_errors_and_nothing_else(seed: int) -> None:
    """500 seeded answers with bytes changed, left out or doubled: never another exception."""
    chance, failures = Random(seed), 0  # noqa: S311 (a repeatable disorder)
    async with scripted(Scripted(then_ends=True)) as (server, endpoint):
        for _ in range(500):
            pieces, _ = an_answer(chance)
            server.says = [spoilt(chance, b"".join(pieces))]
            failures += await fails(server, endpoint)
    assert 50 < failures < 500


async def fails(server: Scripted, endpoint: Endpoint) -> bool:
    try:
        await server.hear(endpoint)
    except (ConnectionError, TooLarge):
        return True
    return False


def an_answer(chance: Random) -> tuple[list[bytes], bool]:
    """A good answer in pieces, and whether the connection ends behind it."""
    body = chance.randbytes(chance.choice((0, 1, 100, 5_000)))
    status = chance.choice((200, 201, 202, 400, 404, 500, 503))
    head = [b"Content-Type: application/json", b"Server: x", b"Date: now", b"X-Empty:"]
    framing = chance.choice(("length", "chunks", "end"))
    if framing == "length":
        head.append(b"Content-Length: %d" % len(body))
    elif framing == "chunks":
        head.append(b"transfer-encoding: Chunked")
        body = b"".join(in_chunks(chance, body)) + b"0\r\n\r\n"
    chance.shuffle(head)
    whole = b"HTTP/1.1 %d Some words\r\n%b\r\n\r\n%b" % (status, b"\r\n".join(head), body)
    cuts = sorted(chance.choices(range(len(whole)), k=chance.choice((0, 1, 5))))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    return pieces, framing == "end"


def in_chunks(chance: Random, body: bytes) -> list[bytes]:
    chunks, at = [], 0
    while at < len(body):
        piece = body[at : at + chance.randint(1, 2_000)]
        chunks.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        at += len(piece)
    return chunks


def spoilt(chance: Random, answer: bytes) -> bytes:
    spoiling = bytearray(answer)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(min(len(spoiling), 200))
        spoiling[at : at + 1] = chance.choice((b"", bytes([chance.randrange(256)]), b"\r\n", b"\0"))
    return bytes(spoiling)
