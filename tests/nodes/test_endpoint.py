"""Requests as they leave, and connections as they are kept."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nodes.lanes import eventually
from nodes.scripted import Scripted, scripted
from student_hub.nodes import endpoint as endpoints
from student_hub.nodes.connection import Connection
from student_hub.nodes.endpoint import Endpoint, Unsendable

pytestmark = pytest.mark.requirement("node-http")

HEADS = {
    "http://node:8001/mcp": b"POST /mcp HTTP/1.1\r\nHost: node:8001\r\n",
    "http://node": b"POST / HTTP/1.1\r\nHost: node\r\n",
    "http://[::1]:8001/a/b?c=d&e=f": b"POST /a/b?c=d&e=f HTTP/1.1\r\nHost: [::1]:8001\r\n",
    "http://node/한글 x?y=z w": b"POST /%ED%95%9C%EA%B8%80%20x?y=z%20w HTTP/1.1\r\nHost: node\r\n",
    "http://me:se%40cret@node/": b"POST / HTTP/1.1\r\nHost: node\r\n",
}


@pytest.mark.parametrize(("url", "head"), HEADS.items())
def test_a_request_names_its_target_and_host(url: str, head: bytes) -> None:
    """As RFC 9112 has it: the path with its query, encoded, and the host with its port."""
    assert Endpoint(url).head({}).startswith(head)


def test_a_login_in_the_url_goes_along_as_a_header() -> None:
    """And nowhere else."""
    head = Endpoint("http://me:se%40cret@node/").head({})
    assert b"\r\nAuthorization: Basic bWU6c2VAY3JldA==\r\n" in head
    assert b"secret" not in head.replace(b"bWU6c2VAY3JldA==", b"")


async def test_a_request_is_sent_as_it_was_made() -> None:
    """Head, headers, length and body."""
    async with scripted(Scripted()) as (server, endpoint):
        head = endpoint.head({"Mcp-Name": "이름", "Accept": "application/json"})
        end = asyncio.get_running_loop().time() + 10
        await endpoint.post(head, b'{"a": 1}', end, bool)
    host = server.url.split("/")[2]
    assert server.asked == [
        f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nUser-Agent: student-hub\r\nMcp-Name: 이름\r\n"
        'Accept: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'.encode()
    ]


@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "\x7f"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_a_header_that_would_become_two_is_not_sent(value: str, place: str) -> None:
    """Whatever a node put into its session or version, it writes no request of ours."""
    headers = {"Mcp-Session-Id": value} if place == "value" else {value: "x"}
    with pytest.raises(Unsendable):
        Endpoint("http://node/").head(headers)


async def test_questions_at_once_take_a_connection_each_and_leave_them_to_the_next() -> None:
    """The one that was used last is used first, so that the others can be given up."""
    async with scripted(Scripted()) as (server, endpoint):
        for _ in range(3):
            await asyncio.gather(*(server.hear(endpoint) for _ in range(5)))
        await server.hear(endpoint)
        assert (server.connections, len(server.asked)) == (5, 16)


async def test_a_connection_that_rested_too_long_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server may be about to end it."""
    async with scripted(Scripted()) as (server, endpoint):
        await server.hear(endpoint)
        monkeypatch.setattr(endpoints, "LONGEST_REST_S", 0.0)
        await server.hear(endpoint)
        assert server.connections == 2


async def test_a_connection_that_the_server_ended_is_not_free() -> None:
    """Its end is seen when it comes, and not by the next question."""
    async with scripted(Scripted()) as (server, endpoint):
        host, port = server.url.split("/")[2].split(":")
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, host, int(port))
        assert connection.is_free
        await eventually(lambda: server.connections == 1)
        server.writers[0].write_eof()
        await eventually(lambda: not connection.is_free)
        assert (await server.hear(endpoint)).body == b"{}"


async def test_who_cannot_be_connected_to_is_said_to_be_away() -> None:
    """A port where nobody listens."""
    async with scripted(Scripted()) as (server, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        await server.hear(Endpoint(server.url))


async def test_a_connection_that_is_never_made_is_given_up_in_time() -> None:
    """A server that takes no more connections: the last of its queue waits in vain."""
    with full_up() as url, pytest.raises(TimeoutError):
        await Scripted().hear(Endpoint(url), within_s=0.2)


async def test_a_node_behind_tls_is_believed_by_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one that the machine trusts, and by no other."""
    serving = certified(tmp_path)
    async with scripted(Scripted(), serving) as (server, stranger):
        with pytest.raises(ssl.SSLCertVerificationError):
            await server.hear(stranger)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        endpoint = Endpoint(server.url)
        for _ in range(2):
            assert (await server.hear(endpoint)).body == b"{}"
        endpoint.close()
        assert len(server.asked) == 2


@contextmanager
def full_up() -> Iterator[str]:
    """The URL of a listener whose queue is full, so that who comes next is left standing."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def certified(folder: Path) -> ssl.SSLContext:
    """A server's context for 127.0.0.1; its certificate, which signs itself, is in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "node")])
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(place, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
