"""A token's text taken apart without forgiveness (JWS compact form, RFC 7515 and RFC 8725)."""

import base64
import re
from dataclasses import dataclass

from student_hub.access.tokens.errors import Flaw, TokenRefused
from student_hub.platform.errors import Fact
from student_hub.platform.strict_json import NotJson, read

LONGEST = 8_192
LONGEST_KID = 200
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})
"""EdDSA is taken as Ed25519, its name since RFC 9864."""
TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
REFUSED_HEADERS = frozenset(
    {"crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "zip", "enc", "epk", "p2s", "p2c"}
)
"""Keys that a token brings itself, nested tokens, encryption, extensions (none is known here)."""

Claims = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Unproven:
    """What a token says, before anybody has looked at its signature."""

    text: str
    payload: bytes
    algorithm: str
    kid: str
    is_access: bool
    """Its header says that it is an access token (RFC 9068), not just some JWT."""
    issuer: str
    claims: Claims


def read_token(text: str) -> Unproven:
    """The token's parts; TokenRefused for anything but one strict form."""
    if len(text) > LONGEST:
        raise TokenRefused(Flaw.SIZE)
    match = COMPACT.fullmatch(text)
    if match is None:
        raise TokenRefused(Flaw.FORM)
    header, payload = _object(_decoded(match[1])), _decoded(match[2])
    _decoded(match[3])
    kind = _type(header)
    claims = _object(payload)
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused(Flaw.ISSUER)
    is_access = kind != "jwt"
    return Unproven(text, payload, _algorithm(header), _kid(header), is_access, issuer, claims)


def _decoded(segment: str) -> bytes:
    """The segment's bytes; refused where other text would give the same bytes."""
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise TokenRefused(Flaw.FORM) from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != segment.encode():
        raise TokenRefused(Flaw.FORM)
    return raw


def _object(raw: bytes) -> Claims:
    try:
        value = read(raw)
    except NotJson as error:
        raise TokenRefused(Flaw.FORM) from error
    if not isinstance(value, dict):
        raise TokenRefused(Flaw.FORM)
    return value


def _type(header: Claims) -> str:
    if not REFUSED_HEADERS.isdisjoint(header):
        raise TokenRefused(Flaw.HEADER)
    kind = header.get("typ")
    if not isinstance(kind, str) or not kind.isascii() or kind.lower() not in TYPES:
        raise TokenRefused(Flaw.TYPE)
    return kind.lower()


def _algorithm(header: Claims) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused(Flaw.ALGORITHM)
    return algorithm


def _kid(header: Claims) -> str:
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise TokenRefused(Flaw.KEY)
    return kid
