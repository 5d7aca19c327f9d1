"""All keys of the hub, derived from the one master key (HKDF-SHA256, RFC 5869)."""

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class MasterKeyUnusable(ValueError):
    """The master key is not what it must be."""


class Keyring:
    """Keys for separate purposes, none of which tells anything about another."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise MasterKeyUnusable(
                f"ENCRYPTION_KEY must be {KEY_BYTES} bytes in base64, it has {len(master)}"
            )
        self._master = master
        self.key_id = hashlib.sha256(b"key id" + master).hexdigest()[:8]

    @classmethod
    def from_base64(cls, text: str) -> "Keyring":
        """The keyring of a master key in standard or URL-safe base64; MasterKeyUnusable else."""
        try:
            raw = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
        except (binascii.Error, ValueError) as error:
            raise MasterKeyUnusable("ENCRYPTION_KEY is not base64") from error
        return cls(raw)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for that purpose, always the same."""
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
        return kdf.derive(self._master)

    def fingerprint(self, purpose: str, value: str) -> bytes:
        """A keyed fingerprint (HMAC-SHA256, 32 bytes): equal for equal values, else meaningless."""
        return hmac.new(self.derive(purpose), value.encode(), hashlib.sha256).digest()
