"""How a student's personal data is kept: sealed per student, found by a blind index."""

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from student_hub.platform.security.keyring import Keyring, MasterKeyUnknown
from student_hub.platform.security.sealing import SealBroken, new_key, seal, unseal

WRAPPING = "student-keys"
INDEX = "student-name-index"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A student's data key as it is stored: sealed by the master key `key_id`."""

    wrapped: bytes
    key_id: str


class Vault:
    """Seals and opens values with the key of the student that they belong to.

    A student's key and the index of their name are always made under one and the same master key:
    the one that `student_keys.key_id` names.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.key_id = keyring.key_id
        self.known_ids = keyring.known_ids

    def new_key(self, student_id: UUID) -> tuple[bytes, WrappedKey]:
        """A data key for a new student, plain and as it is stored."""
        key = new_key()
        return key, self.wrap(student_id, key)

    def wrap(self, student_id: UUID, key: bytes) -> WrappedKey:
        """The data key as it is stored under the current master key."""
        wrapping = self._keyring.derive(WRAPPING)
        return WrappedKey(seal(wrapping, key, _key_place(student_id)), self.key_id)

    def unwrap(self, student_id: UUID, stored: WrappedKey) -> bytes:
        """The data key; SealBroken for one of an unknown master key, or of another student."""
        try:
            wrapping = self._keyring.derive(WRAPPING, stored.key_id)
        except MasterKeyUnknown as error:
            raise SealBroken(_key_place(student_id)) from error
        return unseal(wrapping, stored.wrapped, _key_place(student_id))

    def name_index(self, name: str, key_id: str) -> bytes:
        """Equal for names that differ in case, blanks or normal form alone; else meaningless."""
        folded = " ".join(unicodedata.normalize("NFC", name).casefold().split())
        return self._keyring.fingerprint(INDEX, folded, key_id)

    def name_indexes(self, name: str) -> list[bytes]:
        """The index of the name under every master key that there is."""
        return [self.name_index(name, key_id) for key_id in self.known_ids]


def sealed(key: bytes, value: str | None, column: str, student_id: UUID) -> bytes | None:
    return None if value is None else seal(key, value.encode(), _place(column, student_id))


def opened(key: bytes, value: bytes | None, column: str, student_id: UUID) -> str | None:
    return None if value is None else unseal(key, value, _place(column, student_id)).decode()


def _key_place(student_id: UUID) -> str:
    return f"student_keys|wrapped|{student_id}"


def _place(column: str, student_id: UUID) -> str:
    return f"students|{column}|{student_id}"
