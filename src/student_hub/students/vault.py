"""How a student's personal data is kept: sealed per student, found by a blind index."""

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from student_hub.platform.security.keyring import Keyring
from student_hub.platform.security.sealing import new_key, seal, unseal


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A student's data key as it is stored: sealed by the master key `key_id`."""

    wrapped: bytes
    key_id: str


class Vault:
    """Seals and opens values with the key of the student that they belong to."""

    def __init__(self, keyring: Keyring) -> None:
        self._wrapping = keyring.derive("student-keys")
        self.key_id = keyring.key_id
        self._keyring = keyring

    def new_key(self, student_id: UUID) -> tuple[bytes, WrappedKey]:
        """A data key for a new student, plain and as it is stored."""
        key = new_key()
        return key, WrappedKey(seal(self._wrapping, key, _key_place(student_id)), self.key_id)

    def unwrap(self, student_id: UUID, stored: WrappedKey) -> bytes:
        """The data key; SealBroken for another master key's or another student's."""
        return unseal(self._wrapping, stored.wrapped, _key_place(student_id))

    def name_index(self, name: str) -> bytes:
        """Equal for names that differ in case, blanks or normal form alone; else meaningless."""
        folded = " ".join(unicodedata.normalize("NFC", name).casefold().split())
        return self._keyring.fingerprint("student-name-index", folded)


def sealed(key: bytes, value: str | None, column: str, student_id: UUID) -> bytes | None:
    return None if value is None else seal(key, value.encode(), _place(column, student_id))


def opened(key: bytes, value: bytes | None, column: str, student_id: UUID) -> str | None:
    return None if value is None else unseal(key, value, _place(column, student_id)).decode()


def _key_place(student_id: UUID) -> str:
    return f"student_keys|wrapped|{student_id}"


def _place(column: str, student_id: UUID) -> str:
    return f"students|{column}|{student_id}"
