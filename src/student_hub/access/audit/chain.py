"""The chain of entries and the chain of seals: what makes the log tell of every change.

Each entry's hash covers the one before it. A seal closes a batch: it names the batch's numbers, the
chain before and after it and the seal before it, under a key that the database does not have. So a
seal vouches for everything before it.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from student_hub.access.audit.entries import MICROSECOND, Entry, canonical
from student_hub.platform.ids import EPOCH
from student_hub.platform.security.keyring import Keyring, MasterKeyUnknown

BEGINNING = bytes(32)
PURPOSE = "audit-seals"


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry in its place in the log."""

    seq: int
    entry: Entry
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """What closes a batch; `mac` is over everything else in here."""

    number: int
    first_seq: int
    last_seq: int
    count: int
    head_before: bytes
    head: bytes
    seal_before: bytes
    sealed_before_at: datetime | None
    sealed_at: datetime
    key_id: str
    mac: bytes = b""


def next_hash(head: bytes, entry: Entry) -> bytes:
    """The head of the chain with this entry on it: SHA-256 over the head before and the entry."""
    return hashlib.sha256(head + canonical(entry)).digest()


def hashes(head: bytes, entries: Iterable[Entry]) -> list[bytes]:
    """The hash of each entry, one upon the other."""
    chained = []
    for entry in entries:
        head = next_hash(head, entry)
        chained.append(head)
    return chained


def hash_of(seal: Seal) -> bytes:
    """What the next seal says of this one, and what its mac is over: SHA-256, 32 bytes."""
    values = (
        *(seal.number, seal.first_seq, seal.last_seq, seal.count),
        *(seal.head_before.hex(), seal.head.hex(), seal.seal_before.hex()),
        *(_instant(seal.sealed_before_at), _instant(seal.sealed_at), seal.key_id),
    )
    return hashlib.sha256(b"audit seal " + orjson.dumps(values)).digest()


def next_seal(before: Seal | None, chained: list[bytes], at: datetime, keyring: Keyring) -> Seal:
    """The seal of the batch that has these hashes, after the seal before."""
    first = 1 if before is None else before.last_seq + 1
    seal = Seal(
        number=1 if before is None else before.number + 1,
        first_seq=first,
        last_seq=first + len(chained) - 1,
        count=len(chained),
        head_before=BEGINNING if before is None else before.head,
        head=chained[-1],
        seal_before=BEGINNING if before is None else hash_of(before),
        sealed_before_at=None if before is None else before.sealed_at,
        sealed_at=at,
        key_id=keyring.key_id,
    )
    return replace(seal, mac=_mac(keyring, seal))


def is_ours(seal: Seal, keyring: Keyring) -> bool:
    """Whether the seal was made with that key; MasterKeyUnknown when the keyring lacks it."""
    return hmac.compare_digest(seal.mac, _mac(keyring, seal))


def is_known(seal: Seal, keyring: Keyring) -> bool:
    """Whether the keyring has the key that the seal names."""
    try:
        keyring.derive(PURPOSE, seal.key_id)
    except MasterKeyUnknown:
        return False
    return True


def _mac(keyring: Keyring, seal: Seal) -> bytes:
    return hmac.digest(keyring.derive(PURPOSE, seal.key_id), hash_of(seal), "sha256")


def _instant(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MICROSECOND
