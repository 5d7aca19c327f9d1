"""The public keys of an issuer, read from its JWK set (RFC 7517), found by id and algorithm."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, thumbprint

from student_hub.access.tokens.errors import DocumentUnusable
from student_hub.platform.errors import Fact

MOST = 100
SMALLEST_RSA_BITS = 2_048
LARGEST_RSA_BITS = 8_192
MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
SERVES = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
ONE_ALGORITHM = ({"EdDSA", "Ed25519"},)
"""Names of one and the same algorithm."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of an issuer for one algorithm; its thumbprint is that of RFC 7638."""

    name: tuple[str, str]
    thumbprint: str
    key: Key


class Keys:
    """The keys that an issuer signs access tokens with, at one time."""

    def __init__(self, keys: Mapping[tuple[str, str], PublicKey]) -> None:
        self._keys = dict(keys)

    def __len__(self) -> int:
        return len({kid for kid, _ in self._keys})

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key of that id, if it is one for that algorithm."""
        return self._keys.get((kid, algorithm))

    def has(self, key: PublicKey) -> bool:
        """Whether this very key is still among them."""
        mine = self._keys.get(key.name)
        return mine is key or (mine is not None and mine.thumbprint == key.thumbprint)


def read_keys(document: Fact) -> Keys:
    """The keys of a JWK set that the hub can use; DocumentUnusable when it is no such set.

    A key for something else is passed over, as RFC 7517 says; of two keys with one id and
    one algorithm neither is taken.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST:
        raise DocumentUnusable("the key set is not one")
    keys: dict[tuple[str, str], PublicKey] = {}
    doubled: set[tuple[str, str]] = set()
    for key in (key for jwk in listed if isinstance(jwk, dict) for key in _public_keys(jwk)):
        if key.name in keys:
            doubled.add(key.name)
        keys[key.name] = key
    if doubled:
        log.warning("keys_of_one_id", kids=sorted({kid for kid, _ in doubled}))
    return Keys({name: key for name, key in keys.items() if name not in doubled})


def _public_keys(jwk: dict[str, Fact]) -> Iterator[PublicKey]:
    kid = jwk.get("kid")
    if not isinstance(kid, str):
        return
    try:
        algorithms = _algorithms(jwk)
        key = JWKRegistry.import_key(_public_members(jwk)) if algorithms else None
    except (JoseError, ValueError, TypeError, KeyError):
        log.warning("key_unusable", kid=kid[:100])
        return
    if key is not None:
        same = thumbprint(key.as_dict(private=False))
        yield from (PublicKey((kid, algorithm), same, key) for algorithm in algorithms)


def _algorithms(jwk: dict[str, Fact]) -> frozenset[str]:
    kind, curve, operations = jwk.get("kty"), jwk.get("crv"), jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or "d" in jwk or "k" in jwk:
        return frozenset()
    if not isinstance(operations, list) or "verify" not in operations or not _sized(jwk):
        return frozenset()
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return frozenset()
    return _meant(SERVES.get((kind, curve), frozenset()), jwk.get("alg"))


def _meant(served: frozenset[str], algorithm: Fact) -> frozenset[str]:
    if algorithm is None:
        return served
    same = next((names for names in ONE_ALGORITHM if algorithm in names), {algorithm})
    return frozenset(name for name in served if name in same)


def _sized(jwk: dict[str, Fact]) -> bool:
    """Whether an RSA key is neither weak nor endless; asked before anything is computed with it."""
    modulus = jwk.get("n")
    if jwk.get("kty") != "RSA":
        return True
    if not isinstance(modulus, str) or len(modulus) > LARGEST_RSA_BITS // 4:
        return False
    raw = base64.urlsafe_b64decode(modulus.encode() + b"==")
    return SMALLEST_RSA_BITS <= int.from_bytes(raw).bit_length() <= LARGEST_RSA_BITS


def _public_members(jwk: dict[str, Fact]) -> dict[str, str | list[str]]:
    """What makes the key and no more: what it is for was decided here already."""
    kind = str(jwk["kty"])
    return {"kty": kind, **{name: str(jwk[name]) for name in MEMBERS[kind]}}
