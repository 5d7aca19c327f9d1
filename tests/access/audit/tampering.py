"""Ways to tamper with an audit log, for somebody who may change every row but has no key.

Each takes a log, changes it at random, and leaves the rest to be found. The anchors stay: they are
not in the database.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from access.audit.persons import NOW, entry
from student_hub.access.audit.chain import Seal, SealedEntry, hash_of, next_hash
from student_hub.access.audit.entries import Entry
from student_hub.platform.security.keyring import Keyring

OTHER = UUID("550e8400-e29b-41d4-a716-446655440009")
ENTRY_FIELDS = tuple(field.name for field in fields(Entry))
SEAL_FIELDS = tuple(field.name for field in fields(Seal))


@dataclass
class Log:
    """A log in memory, free to be changed."""

    seals: list[Seal]
    entries: list[SealedEntry]

    def copy(self) -> "Log":
        return Log(list(self.seals), list(self.entries))

    def place(self, random: Random) -> int:
        """An entry at random."""
        return random.randrange(len(self.entries))


def seeded(seed: int) -> Random:
    """Chance that can be had again."""
    return Random(seed)  # noqa: S311 (a test's chance)


def changed(value: Any, random: Random) -> Any:
    """Another value of the same kind."""
    others: dict[type, Callable[[Any], Any]] = {
        type(None): lambda _: "x",
        int: lambda number: number + random.choice((-1, 1)),
        str: lambda text: text + "x",
        bytes: lambda some: bytes([some[0] ^ 1]) + some[1:],
        UUID: lambda _: OTHER,
        list: lambda some: [*some, OTHER],
        dict: lambda some: {**some, "more": 1},
        datetime: lambda at: at + timedelta(microseconds=random.choice((-1, 1))),
    }
    return others[type(value)](value)


def edit_an_entry(log: Log, random: Random) -> None:
    """One field of one entry."""
    edit_field(log, log.place(random), random.choice(ENTRY_FIELDS), random)


def edit_field(log: Log, place: int, name: str, random: Random) -> None:
    old = log.entries[place]
    value = changed(getattr(old.entry, name), random)
    log.entries[place] = replace(old, entry=replace(old.entry, **{name: value}))


def edit_a_hash(log: Log, random: Random) -> None:
    place = log.place(random)
    old = log.entries[place]
    log.entries[place] = replace(old, hash=changed(old.hash, random))


def edit_and_chain_again(log: Log, random: Random) -> None:
    """An edited entry, with every hash from there on made anew."""
    place = log.place(random)
    edit_field(log, place, random.choice(ENTRY_FIELDS), random)
    chain_again(log, place)


def edit_and_chain_and_seal_again(log: Log, random: Random) -> None:
    """The same, and every seal from there on made to fit, with a key of one's own."""
    edit_and_chain_again(log, random)
    seal_again(log, random)


def delete_an_entry(log: Log, random: Random) -> None:
    del log.entries[log.place(random)]


def delete_and_close_the_gap(log: Log, random: Random) -> None:
    """Some entries gone, the rest numbered and chained anew, and every seal made to fit."""
    first = log.place(random)
    del log.entries[first : first + random.randrange(1, 30)]
    renumber(log)
    chain_again(log, 0)
    seal_again(log, random)


def delete_a_batch(log: Log, random: Random) -> None:
    """A seal and all that it covers."""
    gone = log.seals.pop(random.randrange(len(log.seals)))
    log.entries = [one for one in log.entries if not gone.first_seq <= one.seq <= gone.last_seq]


def delete_a_seal(log: Log, random: Random) -> None:
    """A seal alone: its entries stay."""
    del log.seals[random.randrange(len(log.seals))]


def delete_the_oldest(log: Log, random: Random) -> None:
    """As if they had been old enough: whole batches, or not even those."""
    number = random.randrange(1, len(log.seals))
    log.seals = log.seals[number:]
    first = log.seals[0].first_seq - random.choice((0, 0, 1, 2))
    log.entries = [one for one in log.entries if one.seq >= first]


def delete_everything(log: Log, random: Random) -> None:
    log.entries = []
    log.seals = log.seals[: random.choice((0, 1))]


def swap_entries(log: Log, random: Random) -> None:
    """Two entries in each other's place, with or without their hashes."""
    one, other = random.sample(range(len(log.entries)), 2)
    left, right = log.entries[one], log.entries[other]
    with_hash = random.random() < 0.5
    log.entries[one] = replace(right, seq=left.seq, hash=right.hash if with_hash else left.hash)
    log.entries[other] = replace(left, seq=right.seq, hash=left.hash if with_hash else right.hash)


def shuffle_entries(log: Log, random: Random) -> None:
    """A run of entries in another order, chained anew."""
    first = random.randrange(len(log.entries) - 5)
    some = log.entries[first : first + 5]
    moved = some[1:] + some[:1]
    for offset, (old, new) in enumerate(zip(some, moved, strict=True)):
        log.entries[first + offset] = replace(new, seq=old.seq)
    chain_again(log, first)


def swap_seals(log: Log, random: Random) -> None:
    """Two seals under each other's number."""
    one, other = random.sample(range(len(log.seals)), 2)
    left, right = log.seals[one], log.seals[other]
    log.seals[one] = replace(right, number=left.number)
    log.seals[other] = replace(left, number=right.number)


def truncate_batches(log: Log, random: Random) -> None:
    """The newest batches with their seals: what is left is a whole log."""
    log.seals = log.seals[: random.randrange(len(log.seals))]
    last = log.seals[-1].last_seq if log.seals else 0
    log.entries = [one for one in log.entries if one.seq <= last]


def truncate_entries(log: Log, random: Random) -> None:
    """The newest entries, from anywhere in a batch on; perhaps the seals too."""
    log.entries = log.entries[: log.place(random)]
    if random.random() < 0.5:
        last = log.entries[-1].seq if log.entries else 0
        log.seals = [seal for seal in log.seals if seal.last_seq <= last]


def truncate_and_go_on(log: Log, random: Random) -> None:
    """The newest batches replaced by a copy of older entries, sealed with a key of one's own."""
    truncate_batches(log, random)
    append_sealed(log, random)


def insert_an_entry(log: Log, random: Random) -> None:
    """An entry that never was, in the middle, everything behind it moved up and chained anew."""
    place = log.place(random)
    log.entries.insert(place, SealedEntry(0, entry(), b""))
    renumber(log)
    chain_again(log, place)


def append_an_entry(log: Log, random: Random) -> None:
    """An entry behind the last seal."""
    last = log.entries[-1]
    new = entry()
    del random
    log.entries.append(SealedEntry(last.seq + 1, new, next_hash(last.hash, new)))


def append_sealed(log: Log, random: Random) -> None:
    """A whole batch behind the last seal, sealed with a key of one's own."""
    last = log.seals[-1].last_seq if log.seals else 0
    head = log.seals[-1].head if log.seals else bytes(32)
    before = log.seals[-1] if log.seals else None
    made = [SealedEntry(last + place, entry(), b"") for place in range(1, 4)]
    log.entries += made
    chain_again(log, len(log.entries) - 3)
    seal = Seal(
        number=before.number + 1 if before else 1,
        first_seq=last + 1,
        last_seq=last + 3,
        count=3,
        head_before=head,
        head=log.entries[-1].hash,
        seal_before=hash_of(before) if before else bytes(32),
        sealed_before_at=before.sealed_at if before else None,
        sealed_at=NOW,
        key_id=before.key_id if before else "00000000",
        mac=random.randbytes(32),
    )
    log.seals.append(seal)


def edit_a_seal(log: Log, random: Random) -> None:
    """One field of one seal."""
    place = random.randrange(len(log.seals))
    name = random.choice(SEAL_FIELDS)
    old = log.seals[place]
    values: dict[str, Any] = {
        name: NOW if getattr(old, name) is None else changed(getattr(old, name), random)
    }
    log.seals[place] = replace(old, **values)


def name_a_key_of_ones_own(log: Log, random: Random) -> None:
    """The last seals, made anew with a key that the hub does not have."""
    own = Keyring(random.randbytes(32))
    first = random.randrange(len(log.seals))
    for place in range(first, len(log.seals)):
        log.seals[place] = replace(log.seals[place], key_id=own.key_id)
    seal_again(log, random)


def chain_again(log: Log, first: int) -> None:
    """Makes every hash from that place on fit."""
    head = log.entries[first - 1].hash if first else bytes(32)
    for place in range(first, len(log.entries)):
        head = next_hash(head, log.entries[place].entry)
        log.entries[place] = replace(log.entries[place], hash=head)


def renumber(log: Log) -> None:
    log.entries = [replace(one, seq=seq) for seq, one in enumerate(log.entries, 1)]


def seal_again(log: Log, random: Random) -> None:
    """Makes all of every seal fit but what takes the key."""
    by_seq = {one.seq: one.hash for one in log.entries}
    log.seals = [seal for seal in log.seals if seal.last_seq in by_seq]
    head, before = bytes(32), bytes(32)
    for place, seal in enumerate(log.seals):
        new = replace(seal, head_before=head, head=by_seq[seal.last_seq], seal_before=before)
        mac = seal.mac if new == seal else random.randbytes(32)
        log.seals[place] = replace(new, mac=mac)
        head, before = new.head, hash_of(new)


TAMPERINGS: tuple[Callable[[Log, Random], None], ...] = (
    edit_an_entry,
    edit_a_hash,
    edit_and_chain_again,
    edit_and_chain_and_seal_again,
    edit_a_seal,
    name_a_key_of_ones_own,
    delete_an_entry,
    delete_and_close_the_gap,
    delete_a_batch,
    delete_a_seal,
    delete_the_oldest,
    delete_everything,
    swap_entries,
    shuffle_entries,
    swap_seals,
    truncate_batches,
    truncate_entries,
    truncate_and_go_on,
    insert_an_entry,
    append_an_entry,
    append_sealed,
)
