"""Sealed values: AES-256-GCM (NIST SP 800-38D), bound to the place they were made for."""

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed value was altered, moved to another place, or sealed with another key."""


def new_key() -> bytes:
    """A random key of 32 bytes."""
    return AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def seal(key: bytes, value: bytes, place: str) -> bytes:
    """Nonce and ciphertext; opens only with the same key at the same `place`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, value, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """The value that was sealed; SealBroken for anything else."""
    try:
        return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(place) from error


@lru_cache(maxsize=1_024)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
