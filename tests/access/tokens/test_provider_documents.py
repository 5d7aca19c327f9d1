"""What identity providers publish, fetched for real: only what is theirs, whole and in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from access.tokens.minting import key
from student_hub.access.tokens import fetching
from student_hub.access.tokens.addresses import may_be_asked
from student_hub.access.tokens.errors import DocumentUnusable
from student_hub.access.tokens.keys import read_keys
from student_hub.access.tokens.provider import Provider, oauth_url, openid_url

pytestmark = pytest.mark.requirement("token-keys")

OPENID, OAUTH = (
    "/realms/school/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/realms/school",
)


@dataclass
class Site:
    """An identity provider on a free port: what it answers at which path."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/school"

    def publish(self, path: str = OPENID, **changes: Any) -> None:
        self.answers[path] = {"issuer": self.issuer, "jwks_uri": f"{self.url}/keys", **changes}
        self.answers["/keys"] = {"keys": [key().jwk]}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        said = self.answers.get(request.path)
        if callable(said):
            response: web.StreamResponse = await said(request)
            return response
        return web.Response(status=404) if said is None else web.json_response(said)


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield site
    finally:
        await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


async def test_keys_are_found_by_openid_connect_discovery(site: Site) -> None:
    """Two documents: the metadata behind the issuer's path, and the keys that it names."""
    site.publish()
    assert len(await Provider(site.issuer).keys()) == 1
    assert site.asked == [OPENID, "/keys"]


async def test_keys_are_found_by_the_metadata_of_rfc_8414(site: Site) -> None:
    """Where there is no OpenID Connect, the path of RFC 8414 is asked."""
    site.publish(OAUTH)
    assert len(await Provider(site.issuer).keys()) == 1
    assert site.asked == [OPENID, OAUTH, "/keys"]


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        (
            "https://a.b",
            "https://a.b/.well-known/openid-configuration",
            "https://a.b/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.b/",
            "https://a.b/.well-known/openid-configuration",
            "https://a.b/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.b/c/d",
            "https://a.b/c/d/.well-known/openid-configuration",
            "https://a.b/.well-known/oauth-authorization-server/c/d",
        ),
    ],
)
def test_the_two_places_of_metadata(issuer: str, openid: str, oauth: str) -> None:
    """One behind the path, one before it; a slash at the end counts for neither."""
    assert (openid_url(issuer), oauth_url(issuer)) == (openid, oauth)


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None, 1, "{}/", "{}x"])
async def test_metadata_of_another_issuer_is_not_believed(site: Site, issuer: Any) -> None:
    """It must name the very issuer that it was asked for (RFC 8414, 3.3)."""
    said = issuer.format(site.issuer) if isinstance(issuer, str) else issuer
    site.publish(issuer=said)
    with pytest.raises(DocumentUnusable, match="another issuer"):
        await Provider(site.issuer).keys()
    assert site.asked == [OPENID]


@pytest.mark.parametrize(
    "address",
    ["http://evil.example/keys", "file:///etc/passwd", "ftp://a/keys", "//a/keys", "", None, ["x"]],
)
async def test_keys_are_asked_for_at_safe_addresses_only(site: Site, address: Any) -> None:
    """Metadata cannot send the hub to plain HTTP on another machine, or to a file."""
    site.publish(jwks_uri=address)
    with pytest.raises(DocumentUnusable, match="may be asked"):
        await Provider(site.issuer).keys()


async def test_redirects_are_not_followed(site: Site) -> None:
    """What is not where it was said to be is not there."""
    site.publish()

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"{site.url}/keys"})

    site.answers[OPENID] = elsewhere
    with pytest.raises(DocumentUnusable, match="302"):
        await Provider(site.issuer).keys()
    assert site.asked == [OPENID]


async def test_a_document_that_never_ends_is_cut(site: Site) -> None:
    """At 256 KiB, also where no length was announced."""
    site.publish()

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" " * 65_536)
        return response

    site.answers["/keys"] = flood
    with pytest.raises(DocumentUnusable, match="too large"):
        await Provider(site.issuer).keys()


async def test_a_provider_that_hangs_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three seconds all in all; here sooner."""
    monkeypatch.setattr(fetching, "LONGEST_S", 0.05)

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    site.answers[OPENID] = hang
    with pytest.raises(DocumentUnusable, match="Timeout"):
        await Provider(site.issuer).keys()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"keys": {}}',
        b'{"keys": []',
        b'{"keys": [], "keys": []}',
        b'{"keys": [' + b"{}," * 100 + b"{}]}",
    ],
)
async def test_what_is_no_set_of_keys_is_unusable(site: Site, body: bytes) -> None:
    """And leaves the keys that are known as they are."""
    site.publish()

    async def odd(_: web.Request) -> web.Response:
        return web.Response(body=body)

    site.answers["/keys"] = odd
    with pytest.raises(DocumentUnusable):
        await Provider(site.issuer).keys()


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": None},
        {"n": key().jwk["n"][:100]},
        {"n": "A" * 3_000},
        {"n": "A"},
        {"n": "!"},
        {"n": 7},
        {"e": "AA"},
        {"e": None},
        {"d": "AQAB"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"alg": "none"},
        {"alg": 1},
        {"alg": ["RS256"]},
        {"kid": None},
        {"kid": 1},
        {"kty": "EC", "crv": "P-384"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed448", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"crv": "P-256"},
        {"crv": {}},
        {"kty": ["RSA"]},
    ],
)
def test_a_key_that_is_odd_weak_or_for_something_else_is_passed_over(
    changes: dict[str, Any],
) -> None:
    """The good one beside it counts."""
    odd = {**key().jwk, "kid": "odd", **changes}
    keys = read_keys({"keys": [odd, key("ES256").jwk, None, "x"]})
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("url", "plain", "good"),
    [
        ("https://id.example.org/realms/x", False, True),
        ("http://id.example.org", False, False),
        ("http://id.example.org", True, True),
        ("http://localhost:8080/realms/x", False, True),
        ("http://127.0.0.1:1", False, True),
        ("http://127.9.9.9", False, True),
        ("http://[::1]:1", False, True),
        ("http://localhost.evil.example", False, False),
        ("http://127.0.0.1.evil.example", False, False),
        ("http://2130706433", False, False),
        ("https://user:secret@id.example.org", False, False),
        ("https://id.example.org/#x", False, False),
        ("https://", False, False),
        ("https://[", False, False),
        ("file:///etc/passwd", True, False),
        ("id.example.org", True, False),
    ],
)
def test_which_addresses_may_be_asked(url: str, plain: bool, good: bool) -> None:
    """https; http on this machine alone, unless the setting says otherwise."""
    assert may_be_asked(url, allow_http=plain) is good
