"""Whether the log still is what was sealed: a walk over seals and entries, from the oldest kept.

It rests on the seals' key, which the database does not have, and on anchors, which it does not
hold. A seal of a key that is no longer known is vouched for by any later one of a known key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from student_hub.access.audit.anchors import Anchor
from student_hub.access.audit.chain import (
    BEGINNING,
    Seal,
    SealedEntry,
    hash_of,
    is_known,
    is_ours,
    next_hash,
)
from student_hub.platform.security.keyring import Keyring

KEPT = timedelta(days=730)


class Flaw(StrEnum):
    """What is wrong with the log."""

    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    FORGED_SEAL = "forged seal"
    TRUNCATED = "truncated"
    NOT_SEALED = "not sealed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first number from which on the log is not what was sealed, and why."""

    seq: int
    flaw: Flaw
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was walked over; the log is whole when nothing was found."""

    entries: int
    seals: int
    finding: Finding | None = None


class Broken(Exception):
    """Ends the walk."""

    def __init__(self, seq: int, flaw: Flaw, what: str) -> None:
        super().__init__(what)
        self.finding = Finding(seq, flaw, what)


def verify(
    seals: Sequence[Seal],
    entries: Sequence[SealedEntry],
    keyring: Keyring,
    *,
    anchors: Iterable[Anchor] = (),
    now: datetime,
    kept: timedelta = KEPT,
) -> Verdict:
    """The verdict on a whole log in hand; both in the order of their numbers."""
    walk = Walk(keyring, anchors, now - kept)
    place = 0
    try:
        for seal in seals:
            start = place
            while place < len(entries) and entries[place].seq <= seal.last_seq:
                place += 1
            walk.step(seal, entries[start:place])
        walk.end(entries[place].seq if place < len(entries) else None)
    except Broken as broken:
        return walk.verdict(broken.finding)
    return walk.verdict()


class Walk:
    """The walk, seal by seal; Broken ends it at the first flaw.

    What was sealed since `kept_since` has to be there.
    """

    def __init__(self, keyring: Keyring, anchors: Iterable[Anchor], kept_since: datetime) -> None:
        self._keyring = keyring
        self._anchors: dict[int, list[Anchor]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.number, []).append(anchor)
        self._kept_since = kept_since
        self._last: Seal | None = None
        self._hash = BEGINNING
        self._entries = 0
        self._seals = 0
        self._unvouched: Seal | None = None

    @property
    def next_seq(self) -> int:
        """The lowest number that has not been walked over."""
        return 0 if self._last is None else self._last.last_seq + 1

    def verdict(self, finding: Finding | None = None) -> Verdict:
        """What was walked over so far."""
        return Verdict(self._entries, self._seals, finding)

    def step(self, seal: Seal, entries: Sequence[SealedEntry]) -> None:
        """Goes over the seal and all entries between the seal before and its last one."""
        if self._last is None:
            self._check_first(seal)
        else:
            self._check_next(self._last, seal)
        self._check_mac(seal)
        self._check_entries(seal, entries)
        self._hash = hash_of(seal)
        self._check_anchors(seal)
        self._last = seal
        self._entries += len(entries)
        self._seals += 1

    def end(self, beyond: int | None) -> None:
        """Says that there are no more seals; `beyond` is the lowest number behind the last one."""
        last_seq = 0 if self._last is None else self._last.last_seq
        number = 0 if self._last is None else self._last.number
        later = [anchor for anchor in self._anchors if anchor > number]
        if later:
            what = f"batch {min(later)}, which an anchor knows, is gone"
            raise Broken(last_seq + 1, Flaw.TRUNCATED, what)
        if beyond is not None:
            raise Broken(beyond, Flaw.NOT_SEALED, "entries that no seal covers")
        if self._unvouched is not None:
            what = f"seal {self._unvouched.number} names a key that is not known"
            raise Broken(self._unvouched.first_seq, Flaw.FORGED_SEAL, what)

    def _check_first(self, seal: Seal) -> None:
        """The oldest seal is the first one ever, or those before it were old enough to go."""
        if seal.number == 1:
            self._require_link(seal, 1, BEGINNING, BEGINNING, None)
        elif seal.sealed_before_at is None or seal.sealed_before_at >= self._kept_since:
            self._check_mac(seal)
            what = f"entries before {seal.first_seq} are gone that should be kept"
            raise Broken(1, Flaw.MISSING, what)

    def _check_next(self, last: Seal, seal: Seal) -> None:
        if seal.number != last.number + 1:
            what = f"seal {last.number + 1} is not there"
            raise Broken(last.last_seq + 1, Flaw.MISSING, what)
        self._require_link(seal, last.last_seq + 1, last.head, self._hash, last.sealed_at)

    def _require_link(
        self, seal: Seal, first: int, head: bytes, before: bytes, at: datetime | None
    ) -> None:
        told = (seal.first_seq, seal.head_before, seal.seal_before, seal.sealed_before_at)
        if told != (first, head, before, at):
            what = f"seal {seal.number} does not follow on the one before"
            raise Broken(first, Flaw.FORGED_SEAL, what)

    def _check_mac(self, seal: Seal) -> None:
        if not is_known(seal, self._keyring):
            self._unvouched = self._unvouched or seal
        elif is_ours(seal, self._keyring):
            self._unvouched = None
        else:
            what = f"seal {seal.number} was not made by the hub as it stands"
            raise Broken(seal.first_seq, Flaw.FORGED_SEAL, what)

    def _check_entries(self, seal: Seal, entries: Sequence[SealedEntry]) -> None:
        head, seq = seal.head_before, seal.first_seq
        for sealed in entries:
            if sealed.seq != seq:
                raise Broken(min(seq, sealed.seq), *_gap(seq, sealed))
            if next_hash(head, sealed.entry) != sealed.hash:
                raise Broken(seq, *_wrong(head, entries))
            head, seq = sealed.hash, seq + 1
        if seq != seal.last_seq + 1 or seal.count != len(entries):
            raise Broken(seq, Flaw.MISSING, f"entries up to {seal.last_seq} are not there")
        if head != seal.head:
            what = f"the entries {seal.first_seq} to {seal.last_seq} are not those that were sealed"
            raise Broken(seal.first_seq, Flaw.EDITED, what)

    def _check_anchors(self, seal: Seal) -> None:
        for anchor in self._anchors.get(seal.number, ()):
            if (anchor.seal, anchor.last_seq) != (self._hash.hex(), seal.last_seq):
                what = f"another batch {seal.number} was sealed before, an anchor says"
                raise Broken(seal.first_seq, Flaw.TRUNCATED, what)


def _gap(seq: int, found: SealedEntry) -> tuple[Flaw, str]:
    if found.seq < seq:
        return Flaw.NOT_SEALED, f"entry {found.seq} stands where none was sealed"
    return Flaw.MISSING, f"entry {seq} is not there"


def _wrong(head: bytes, entries: Sequence[SealedEntry]) -> tuple[Flaw, str]:
    """Whether another entry of the batch belongs in this place."""
    hashes = {sealed.hash for sealed in entries}
    if any(next_hash(head, sealed.entry) in hashes for sealed in entries):
        return Flaw.REORDERED, "another entry stood here when it was sealed"
    return Flaw.EDITED, "the entry is not the one that was sealed"
