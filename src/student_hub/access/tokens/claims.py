"""What a signed token claims, held against the clock and the hub's own name (RFC 9068)."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from student_hub.access.tokens.errors import Flaw, TokenRefused
from student_hub.access.tokens.reading import Claims, Unproven

LEEWAY_S = 30
LONGEST_LIFE_S = 3_600
LATEST = 2**53
NAME = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
"""An id of a subject or client: up to 255 printable ASCII characters (OpenID Connect Core 2)."""
MARKS = frozenset({"scope", "scp", "client_id", "appid"})
"""What access tokens have, of one issuer or another, and ID tokens have not."""
MARKS_OF_OTHERS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
"""What ID tokens and security events have; an access token may, when it says what it is."""


@dataclass(frozen=True, slots=True)
class Held:
    """The claims of a token that is good now."""

    subject: str
    client: str
    scopes: tuple[str, ...]
    good_until: float
    """Seconds since 1970, the leeway included."""
    claims: Claims


def check(token: Unproven, audiences: Collection[str], now: float) -> Held:
    """The claims, when each of them lets the token be used here at `now`; TokenRefused else."""
    claims = token.claims
    _require_access_token(token)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not NAME.fullmatch(subject):
        raise TokenRefused(Flaw.CLAIM)
    if not isinstance(claims.get("jti", ""), str):
        raise TokenRefused(Flaw.CLAIM)
    expires_at = _check_times(claims, now)
    if set(audiences).isdisjoint(audiences_of(claims)):
        raise TokenRefused(Flaw.AUDIENCE)
    return Held(subject, _client(claims), _scopes(claims), expires_at + LEEWAY_S, claims)


def audiences_of(claims: Claims) -> list[str]:
    """For whom the token is; TokenRefused when that is not a text or a list of texts."""
    said = claims.get("aud", [])
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list):
        raise TokenRefused(Flaw.CLAIM)
    texts = [name for name in listed if isinstance(name, str)]
    if len(texts) != len(listed):
        raise TokenRefused(Flaw.CLAIM)
    return texts


def _require_access_token(token: Unproven) -> None:
    kind = token.claims.get("typ", "Bearer")  # a claim of Keycloak's: ID, Refresh, Offline, …
    if kind != "Bearer":
        raise TokenRefused(Flaw.NOT_ACCESS)
    says_so = token.is_access or "typ" in token.claims
    if not says_so and not _looks_like_one(token.claims):
        raise TokenRefused(Flaw.NOT_ACCESS)
    if "cnf" in token.claims:
        raise TokenRefused(Flaw.BOUND)


def _looks_like_one(claims: Claims) -> bool:
    return MARKS_OF_OTHERS.isdisjoint(claims) and not MARKS.isdisjoint(claims)


def _check_times(claims: Claims, now: float) -> float:
    issued_at, expires_at = _seconds(claims, "iat"), _seconds(claims, "exp")
    not_before = _seconds(claims, "nbf") if "nbf" in claims else issued_at
    if now >= expires_at + LEEWAY_S:
        raise TokenRefused(Flaw.EXPIRED)
    if max(issued_at, not_before) > now + LEEWAY_S:
        raise TokenRefused(Flaw.NOT_YET)
    if not 0 < expires_at - issued_at <= LONGEST_LIFE_S:
        raise TokenRefused(Flaw.LIFETIME)
    return expires_at


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(Flaw.CLAIM)
    if not 0 <= value < LATEST:
        raise TokenRefused(Flaw.CLAIM)
    return value


def _client(claims: Claims) -> str:
    said = claims.get("client_id", claims.get("azp"))
    return said if isinstance(said, str) and NAME.fullmatch(said) else ""


def _scopes(claims: Claims) -> tuple[str, ...]:
    said = claims.get("scope", "")
    if not isinstance(said, str):
        raise TokenRefused(Flaw.CLAIM)
    return tuple(said.split(" "))
