"""All keys of the hub, derived from its master keys (HKDF-SHA256, RFC 5869)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class MasterKeyUnusable(ValueError):
    """A master key is not what it must be."""


class MasterKeyUnknown(LookupError):
    """Something was made under a master key that this hub does not have."""


class Keyring:
    """Keys for separate purposes, none of which tells anything about another.

    New things are made under the current master key, whose id is `key_id`. Those made under a
    known one can still be opened: `known_ids` names every master key there is, the current first.
    """

    def __init__(self, master: bytes, known: Iterable[bytes] = ()) -> None:
        masters = {_id_of(master, "ENCRYPTION_KEY"): master}
        for other in known:
            # Two keys of one id (2^-32) could not be told apart; the same key twice is no harm.
            if masters.setdefault(_id_of(other, "ENCRYPTION_KEYS_KNOWN"), other) != other:
                raise MasterKeyUnusable("ENCRYPTION_KEYS_KNOWN has two keys of one id")
        self._masters = masters
        self._derived: dict[tuple[str, str], bytes] = {}
        self.key_id = next(iter(masters))
        self.known_ids = tuple(masters)

    @classmethod
    def from_base64(cls, text: str, known: str = "") -> "Keyring":
        """The keyring of a current master key, and of known ones separated by commas.

        Each is in standard or URL-safe base64; MasterKeyUnusable for anything else.
        """
        others = [part for part in known.split(",") if part.strip()]
        return cls(
            _decoded(text, "ENCRYPTION_KEY"),
            [_decoded(part, "ENCRYPTION_KEYS_KNOWN") for part in others],
        )

    def derive(self, purpose: str, key_id: str | None = None) -> bytes:
        """A key of 32 bytes for that purpose, always the same, under the current master key.

        Or under the one of that id; MasterKeyUnknown when there is none.
        """
        place = (purpose, self.key_id if key_id is None else key_id)
        if (kept := self._derived.get(place)) is None:
            kept = self._derived[place] = _expanded(self._master(place[1]), purpose)
        return kept

    def fingerprint(self, purpose: str, value: str, key_id: str | None = None) -> bytes:
        """A keyed fingerprint (HMAC-SHA256, 32 bytes): equal for equal values, else meaningless."""
        return hmac.digest(self.derive(purpose, key_id), value.encode(), "sha256")

    def _master(self, key_id: str) -> bytes:
        try:
            return self._masters[key_id]
        except KeyError as error:
            raise MasterKeyUnknown(key_id) from error


def _decoded(text: str, setting: str) -> bytes:
    try:
        return base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MasterKeyUnusable(f"{setting} is not base64") from error


def _id_of(master: bytes, setting: str) -> str:
    if len(master) != KEY_BYTES:
        raise MasterKeyUnusable(
            f"{setting} must be {KEY_BYTES} bytes in base64, it has {len(master)}"
        )
    return hashlib.sha256(b"key id" + master).hexdigest()[:8]


def _expanded(master: bytes, purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
    return kdf.derive(master)
