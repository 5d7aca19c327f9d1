"""Tokens made by hand, good and bad: signed with cryptography alone, any text as their JSON."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://id.example.org/realms/school"
AUDIENCE = "https://hub.example.org"
NOW = 1_772_442_000.0

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Json = Mapping[str, Any] | str
"""An object, or its text as it is to be sent."""
Sign = Callable[[bytes], bytes]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


@dataclass(frozen=True)
class SigningKey:
    """A key of an issuer, with what it publishes of it."""

    kid: str
    algorithm: str
    private: Private

    @property
    def jwk(self) -> dict[str, Any]:
        named = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        return {**named, **_public_members(self.private)}

    @property
    def pem(self) -> bytes:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return signed(self.algorithm, self.private, message)

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid}


def _public_members(private: Private) -> dict[str, str]:
    match private:
        case rsa.RSAPrivateKey():
            rsa_numbers = private.public_key().public_numbers()
            return {"kty": "RSA", "n": number(rsa_numbers.n), "e": number(rsa_numbers.e)}
        case ec.EllipticCurvePrivateKey():
            point = private.public_key().public_numbers()
            size = (private.curve.key_size + 7) // 8
            curve = {"secp256r1": "P-256", "secp384r1": "P-384"}[private.curve.name]
            place = {"x": number(point.x, size), "y": number(point.y, size)}
            return {"kty": "EC", "crv": curve, **place}
        case ed25519.Ed25519PrivateKey():
            return {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": b64(private.public_key().public_bytes_raw()),
            }
    raise AssertionError(private)


def signed(algorithm: str, private: Private, message: bytes) -> bytes:
    """The signature as JWS has it."""
    digest: hashes.HashAlgorithm = hashes.SHA256()
    match private:
        case rsa.RSAPrivateKey() if algorithm.startswith("PS"):
            salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return private.sign(message, salted, digest)
        case rsa.RSAPrivateKey():
            digest = hashes.SHA512() if algorithm == "RS512" else digest
            return private.sign(message, padding.PKCS1v15(), digest)
        case ec.EllipticCurvePrivateKey():
            r, s = decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
            size = (private.curve.key_size + 7) // 8
            return r.to_bytes(size) + s.to_bytes(size)
        case ed25519.Ed25519PrivateKey():
            return private.sign(message)
    raise AssertionError(private)


def key(algorithm: str = "RS256", kid: str = "one") -> SigningKey:
    """A key of its own for each name, made once a process."""
    return _made(algorithm, kid)


@cache
def _made(algorithm: str, kid: str) -> SigningKey:
    private: Private
    if algorithm.startswith(("RS", "PS")):
        private = rsa.generate_private_key(65_537, 2_048)
    elif algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    elif algorithm == "ES384":
        private = ec.generate_private_key(ec.SECP384R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return SigningKey(f"{kid}-{algorithm}", algorithm, private)


def claims(now: float = NOW, **changes: Any) -> dict[str, Any]:
    """Claims of a teacher's access token; a change to `...` takes the claim out."""
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "teacher-kim",
        "client_id": "school-app",
        "iat": int(now),
        "exp": int(now) + 300,
        "jti": "j-1",
        "scope": "openid hub:read",
        "roles": ["teacher"],
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not ...}


def mint(
    payload: Json | None = None,
    header: Json | None = None,
    by: SigningKey | None = None,
    sign: Sign | None = None,
) -> str:
    """A token of these parts; without any, one that is good at NOW under `key()`."""
    by = by or key()
    head = _segment(by.header if header is None else header)
    body = _segment(claims() if payload is None else payload)
    signature = (sign or by.sign)(f"{head}.{body}".encode())
    return f"{head}.{body}.{b64(signature)}"


def hmac_with(secret: bytes) -> Sign:
    """What an attacker signs who takes something public for a shared secret."""
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


def _segment(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return b64(text.encode("utf-8", "surrogatepass"))
