"""The room under test, with an issuer whose documents a test holds in its hands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from access.tokens.minting import AUDIENCE, ISSUER, NOW, SigningKey
from student_hub.access.policy import ceiling
from student_hub.access.tokens.errors import DocumentUnusable
from student_hub.access.tokens.issuer import Issuer
from student_hub.access.tokens.provider import Provider
from student_hub.access.tokens.roles import Roles, paths_of
from student_hub.access.tokens.service import Tokens
from student_hub.platform.errors import NotAuthenticated

KEYS_URL = "https://id.example.org/keys"


class Time:
    """A clock that a test turns; it begins at NOW."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


class Documents:
    """What the identity provider publishes, and how often it was asked; `away` when it is down."""

    def __init__(self, *keys: SigningKey) -> None:
        self.published: list[dict[str, Any]] = [key.jwk for key in keys]
        self.metadata: dict[str, Any] = {"issuer": ISSUER, "jwks_uri": KEYS_URL}
        self.away = False
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.away:
            raise DocumentUnusable("away")
        if url == KEYS_URL:
            return orjson.dumps({"keys": self.published})
        return orjson.dumps(self.metadata)

    @property
    def keys_asked(self) -> int:
        """How often the keys were asked for; while away it is the metadata that is."""
        return sum(url == KEYS_URL for url in self.asked)


def issuer_of(documents: Documents, time: Time, url: str = ISSUER, alias: str = "school") -> Issuer:
    return Issuer(alias, Provider(url, fetch=documents.fetch), time)


def tokens_of(
    documents: Documents,
    time: Time,
    *,
    audiences: Sequence[str] = (AUDIENCE,),
    roles: Roles | None = None,
    issuer: Issuer | None = None,
    **given: Any,
) -> Tokens:
    return Tokens(
        {ISSUER: issuer or issuer_of(documents, time)},
        audiences=audiences,
        roles=roles or Roles(paths_of(None, audiences)),
        ceiling=ceiling,
        clock=time,
        **given,
    )


async def flaw_of(tokens: Tokens, token: str) -> str | None:
    """Why the token is refused; None when it is taken."""
    try:
        await tokens.identify(token)
    except NotAuthenticated as error:
        return str(error.__cause__)
    return None
