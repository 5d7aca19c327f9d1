"""Which web pages may speak to /mcp."""

import pytest

from doorway import KNOWN, Running
from student_hub.platform.mcp.origins import Origins

pytestmark = pytest.mark.requirement("mcp-origin")

HOSTS = ["localhost", "127.0.0.1", "[::1]", "hub.example"]
LISTED = ["https://console.example", "null-app://x"]
GOOD = (
    "http://localhost",
    "https://localhost:8000",
    "HTTP://LocalHost:3000",
    "http://127.0.0.1:1",
    "http://[::1]:8000",
    "https://hub.example",
    "https://console.example",
    "null-app://x",
)
BAD = (
    "",
    "null",
    "*",
    "localhost",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil.example/localhost",
    "http://localhost@evil.example",
    "http://evil.example#localhost",
    "http://localhost:8000:1",
    "http://localhost:port",
    "http://localhost/",
    "ftp://localhost",
    "http://[::2]",
    "https://console.example:444",
    "http://console.example",
    "http://localhost, https://evil.example",
    "http://lo\u0441alhost",
)


def named(*origins: str) -> list[tuple[bytes, bytes]]:
    return [(b"origin", origin.encode()) for origin in origins]


@pytest.mark.parametrize("origin", GOOD)
def test_own_pages_and_listed_ones_may(origin: str) -> None:
    """On any port of an own host, and exactly as listed."""
    assert Origins(HOSTS, LISTED).allow(named(origin))


@pytest.mark.parametrize("origin", BAD)
def test_no_other_page_may(origin: str) -> None:
    """However much it looks like one that may."""
    assert not Origins(HOSTS, LISTED).allow(named(origin))


def test_who_names_no_page_is_no_browser() -> None:
    """Services and assistants send no Origin; of several every one must be good."""
    origins = Origins(HOSTS, LISTED)
    assert origins.allow([(b"host", b"evil.example")])
    assert not origins.allow(named("http://localhost", "https://evil.example"))


def test_with_any_host_allowed_only_listed_pages_may() -> None:
    """Then no host is the hub's own more than another."""
    origins = Origins(["*"], LISTED)
    assert origins.allow(named("https://console.example"))
    assert not origins.allow(named("http://localhost"))


CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "echo_student", "arguments": {"student_id": str(KNOWN)}},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("version", [None, "2025-11-25", "1999-01-01"])
async def test_a_page_elsewhere_is_refused_by_every_way_to_mcp(
    hub: Running, method: str, version: str | None
) -> None:
    """403 for a call that would else take the fast path, and for any other request."""
    headers = {**ACCEPT, "origin": "https://evil.example"}
    if version is not None:
        headers["mcp-protocol-version"] = version
    async with hub.client() as client:
        answer = await client.request(method, "/mcp", json=CALL, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == -32600


async def test_an_own_page_is_answered(hub: Running) -> None:
    """A console that the hub itself serves works."""
    async with hub.client() as client:
        headers = {**ACCEPT, "origin": "http://localhost:3000"}
        answer = await client.post("/mcp", json=CALL, headers=headers)
    assert answer.json()["result"]["isError"] is False
