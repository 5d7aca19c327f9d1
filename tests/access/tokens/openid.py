"""A real OpenID provider in a process of its own, and clients that get tokens from it."""

import base64
import hashlib
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import orjson

from npm import Modules

HERE = Path(__file__).parent
SCRIPT = HERE / "provider.mjs"
CALLBACK = "http://127.0.0.1/callback"
SERVICE, APP = "reports-service", "school-app"
ROLES: Mapping[str, Sequence[str]] = {
    SERVICE: ["service"],
    "teacher-kim": ["default-roles-school", "teacher"],
    "teacher-lee": ["teacher"],
    "head-park": ["admin"],
    "gardener-han": ["default-roles-school"],
}
STOP_S = 10


@dataclass(frozen=True)
class OpenId:
    """Where the provider is, and its process."""

    issuer: str
    secret: str
    process: subprocess.Popen[bytes]

    def service_token(self, resource: str | None, scope: str = "hub:read") -> str:
        """What a service gets for itself (client credentials, RFC 8707)."""
        form = {"grant_type": "client_credentials", "scope": scope}
        form |= {} if resource is None else {"resource": resource}
        answer = httpx2.post(f"{self.issuer}/token", data=form, auth=(SERVICE, self.secret))
        token: str = _done(answer)["access_token"]
        return token

    def tokens_of(self, user: str, resource: str, scope: str = "openid hub:read") -> dict[str, str]:
        """What an app gets for a user who logs in (authorization code with PKCE)."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": APP,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": scope,
            "resource": resource,
            "login_hint": user,
            "state": "s",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        back = logged_in(str(httpx2.URL(f"{self.issuer}/auth", params=asked)), CALLBACK)
        form = {
            "grant_type": "authorization_code",
            "client_id": APP,
            "code": back["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
            "resource": resource,
        }
        return _done(httpx2.post(f"{self.issuer}/token", data=form))

    def stop(self) -> None:
        """Ends the provider, as its standard input does."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(STOP_S)


def logged_in(url: str, callback: str) -> dict[str, str]:
    """What the provider sends a browser back with, once its user has logged in."""
    with httpx2.Client(timeout=30) as browser:
        for _ in range(10):
            answer = browser.get(url)
            assert answer.status_code in {302, 303}, answer.text
            url = str(answer.url.join(answer.headers["location"]))
            if url.startswith(callback):
                return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    raise AssertionError("the provider sends round in circles")


@contextmanager
def openid_provider(modules: Modules) -> Iterator[OpenId]:
    """Runs the provider until the block ends."""
    secret = secrets.token_urlsafe(16)
    given = {"modules": str(modules.path), "roles": dict(ROLES), "secret": secret}
    with subprocess.Popen(
        [modules.node, SCRIPT, orjson.dumps(given).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the provider did not start"
        provider = OpenId(orjson.loads(line)["issuer"], secret, process)
        try:
            yield provider
        finally:
            provider.stop()


def _done(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    body: dict[str, str] = answer.json()
    return body
