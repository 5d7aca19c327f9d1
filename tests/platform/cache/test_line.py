"""The process's one connection to the store, on a real Valkey that is well, frozen or gone."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis

from own_store import OwnStore
from store_relay import Relay
from student_hub.platform.cache.line import Line
from student_hub.platform.cache.resp import Refused, Reply
from student_hub.platform.cache.wire import AWAY, Away

pytestmark = pytest.mark.requirement("cache-line", "cache-away")

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
async def line(own_store: OwnStore) -> AsyncIterator[Line]:
    line = Line(own_store.url)
    assert await line.ask("PING") == b"PONG"
    yield line
    await line.close()


async def answer_at_last(line: Line) -> Reply | Away:
    """The first answer of a store that comes back."""
    async with asyncio.timeout(20):
        while (reply := await line.ask("PING")) is AWAY:  # noqa: ASYNC110 (another process's doing)
            await asyncio.sleep(0.02)
    return reply


async def test_many_commands_at_once_have_each_their_own_reply(line: Line) -> None:
    """In their order, whatever their kinds: values, numbers, nothing and refusals."""
    places = [line.ask("SET", f"n:{n}", str(n)) for n in range(1_000)]
    places += [line.ask("GET", f"n:{n}") for n in range(1_000)]
    wrong = line.ask("INCR", "n:1", "too", "many")
    nothing, length = line.ask("GET", "absent"), line.ask("STRLEN", "n:999")
    replies = [await place for place in places]
    assert replies == [b"OK"] * 1_000 + [str(n).encode() for n in range(1_000)]
    assert isinstance(await wrong, Refused)
    assert (await nothing, await length) == (None, 3)


async def test_replies_of_megabytes_arrive_whole(line: Line) -> None:
    """However many pieces the network makes of them, and with others behind them."""
    large = bytes(range(256)) * 8_000
    line.ask("SET", "large", large)
    replies = [line.ask("MGET", "large", "large"), line.ask("PING")]
    assert [await reply for reply in replies] == [[large, large], b"PONG"]


async def test_a_caller_who_goes_away_does_not_shift_the_replies_of_others(line: Line) -> None:
    """The reply that nobody waits for any more is thrown away in its turn."""
    first, second = line.ask("ECHO", "first"), line.ask("ECHO", "second")
    first.cancel()
    assert await second == b"second"


async def test_what_has_arrived_is_not_held_against_the_store_when_the_loop_is_busy(
    line: Line,
) -> None:
    """A loop that has had no turn for a while finds the reply, not a store that is away."""
    for _ in range(5):
        place = line.ask("ECHO", "here")
        await asyncio.sleep(0)
        time.sleep(0.15)  # noqa: ASYNC251 (a busy loop is what is tested)
        assert await place == b"here"


async def test_a_frozen_store_is_given_up_and_found_again(own_store: OwnStore, line: Line) -> None:
    """Its silence ends the wait; while it rests nobody waits; once it answers it is used."""
    own_store.freeze()
    asked = [line.ask("GET", "x") for _ in range(50)]
    assert {await place for place in asked} == {AWAY}
    while not line.rests:
        assert await line.ask("GET", "x") is AWAY
    assert line.ask("GET", "x").result() is AWAY
    own_store.thaw()
    assert await answer_at_last(line) == b"PONG"


async def test_a_store_that_dies_and_comes_back_is_used_again(
    own_store: OwnStore, line: Line
) -> None:
    """Connections of before are not missed, and a restarted store is empty, not wrong."""
    own_store.stop()
    assert await line.ask("PING") is AWAY
    own_store.start()
    assert await answer_at_last(line) == b"PONG"


async def test_where_nobody_listens_nobody_waits() -> None:
    """Refused connections are no answer, and for a second none is tried."""
    line = Line(NOBODY)
    assert await line.ask("PING") is AWAY
    assert line.rests
    assert line.ask("PING").result() is AWAY
    await line.close()


async def test_the_url_says_which_database_with_which_password(own_store: OwnStore) -> None:
    """SELECT and AUTH come before any command; with a wrong password there is no store."""
    parts = urlsplit(own_store.url)
    third = urlunsplit(parts._replace(path="/3"))
    line = Line(third)
    assert await line.ask("SET", "where", "third") == b"OK"
    async with Redis.from_url(third) as redis:
        assert await redis.get("where") == b"third"
    async with Redis.from_url(own_store.url) as redis:
        assert await redis.get("where") is None
    await line.close()
    stranger = Line(urlunsplit(parts._replace(netloc=f":wrong@127.0.0.1:{parts.port}")))
    assert await stranger.ask("PING") is AWAY
    await stranger.close()


async def test_what_speaks_another_protocol_is_no_store() -> None:
    """A web server's answer is nothing to anybody."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        line = Line(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        assert await line.ask("PING") is AWAY
        await line.close()


async def test_rediss_is_tls_with_the_authority_that_the_url_names(
    own_store: OwnStore, tmp_path: Path
) -> None:
    """A certificate of another authority is refused, as the system's would refuse ours."""
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with Relay(own_store.url, context).serving() as relay:
        trusting = Line(f"{relay.url}?ssl_ca_certs={certificate}")
        assert await answer_at_last(trusting) == b"PONG"
        await trusting.close()
        doubting = Line(relay.url)
        assert await doubting.ask("PING") is AWAY
        await doubting.close()


def self_signed(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "store.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
