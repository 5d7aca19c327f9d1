"""Whoever changes the log is found out, even with every right on the database."""

from datetime import timedelta

import pytest

from access.audit.persons import NOW, a_log
from access.audit.tampering import (
    ENTRY_FIELDS,
    TAMPERINGS,
    Log,
    append_sealed,
    edit_field,
    seeded,
    truncate_batches,
)
from student_hub.access.audit.anchors import anchor_of
from student_hub.access.audit.chain import hashes, next_seal
from student_hub.access.audit.verification import KEPT, Flaw, Verdict, verify
from student_hub.platform.security.keyring import Keyring

pytestmark = pytest.mark.requirement("audit-tampering")
SEEDS = 1_000
SIZES = (60, 1, 45, 80, 3, 70, 41)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def log(keyring: Keyring) -> Log:
    """Three hundred entries in seven batches."""
    return Log(*a_log(SIZES, keyring))


def judged(log: Log, keyring: Keyring, anchored: Log | None = None) -> Verdict:
    """The verdict on the log, with the anchors of the one before it was tampered with."""
    anchors = [anchor_of(seal) for seal in anchored.seals] if anchored else []
    log.entries.sort(key=lambda one: one.seq)
    return verify(log.seals, log.entries, keyring, anchors=anchors, now=LATER)


def test_an_untouched_log_is_whole(log: Log, keyring: Keyring) -> None:
    """With anchors and without: what is found below is not found in everything."""
    assert judged(log.copy(), keyring, log) == Verdict(sum(SIZES), len(SIZES))
    assert judged(log.copy(), keyring) == Verdict(sum(SIZES), len(SIZES))
    assert judged(Log([], []), keyring) == Verdict(0, 0)


def test_of_a_thousand_tamperings_every_one_is_found(log: Log, keyring: Keyring) -> None:
    """Each kind some fifty times, with another place, field or number each time."""
    missed = []
    for seed in range(SEEDS):
        random, copy = seeded(seed), log.copy()
        tamper = TAMPERINGS[seed % len(TAMPERINGS)]
        tamper(copy, random)
        assert copy != log, f"{tamper.__name__} with seed {seed} changed nothing"
        if judged(copy, keyring, log).finding is None:
            missed.append((tamper.__name__, seed))
    assert missed == []


def test_the_oldest_batches_may_go_when_their_time_is_over_and_no_sooner(
    log: Log, keyring: Keyring
) -> None:
    """A second before, they are missing; from then on the first kept seal begins the chain."""
    kept = log.copy()
    kept.seals = kept.seals[2:]
    kept.entries = kept.entries[61:]
    for moment, found in ((KEPT, (1, Flaw.MISSING)), (KEPT + timedelta(seconds=1), None)):
        anchors = [anchor_of(seal) for seal in log.seals]
        verdict = verify(kept.seals, kept.entries, keyring, anchors=anchors, now=NOW + moment)
        finding = verdict.finding
        assert found == (finding and (finding.seq, finding.flaw))
        assert verdict.entries == (0 if found else sum(SIZES[2:]))


def test_two_tamperings_do_not_hide_each_other(log: Log, keyring: Keyring) -> None:
    """One upon the other, in any order."""
    for seed in range(200):
        random, copy = seeded(seed), log.copy()
        for tamper in random.sample(TAMPERINGS, 2):
            if len(copy.seals) > 2 and len(copy.entries) > 40:
                tamper(copy, random)
        if copy != log:
            assert judged(copy, keyring, log).finding is not None, seed


@pytest.mark.parametrize("name", ENTRY_FIELDS)
def test_an_edit_is_found_at_its_very_number(log: Log, keyring: Keyring, name: str) -> None:
    """Whichever field it is."""
    for place in (0, 59, 60, 150, 299):
        copy = log.copy()
        edit_field(copy, place, name, seeded(place))
        finding = judged(copy, keyring).finding
        assert finding is not None
        assert (finding.seq, finding.flaw) == (place + 1, Flaw.EDITED)


def test_what_is_wrong_is_called_by_its_name(log: Log, keyring: Keyring) -> None:
    """And its first number is told."""
    gone, swapped, cut = log.copy(), log.copy(), log.copy()
    del gone.entries[99]
    one, other = swapped.entries[10], swapped.entries[20]
    swapped.entries[10:11] = [type(one)(one.seq, other.entry, other.hash)]
    swapped.entries[20:21] = [type(one)(other.seq, one.entry, one.hash)]
    cut.seals, cut.entries = cut.seals[:3], cut.entries[:106]
    found = [judged(one, keyring, log).finding for one in (gone, swapped, cut)]
    assert [(one.seq, one.flaw) for one in found if one] == [
        (100, Flaw.MISSING),
        (11, Flaw.REORDERED),
        (107, Flaw.TRUNCATED),
    ]


def test_a_truncated_log_that_was_sealed_on_is_found_by_its_anchors(
    log: Log, keyring: Keyring
) -> None:
    """Even when the hub itself went on sealing on the shortened log, as after an old backup."""
    copy = log.copy()
    truncate_batches(copy, seeded(1))
    shorter = len(copy.seals)
    seals, entries = a_log([*SIZES[:shorter], 5], keyring)
    went_on = Log(seals, entries)
    assert judged(went_on, keyring).finding is None
    finding = judged(went_on, keyring, log).finding
    assert finding is not None
    assert finding.flaw is Flaw.TRUNCATED


def test_seals_of_a_retired_key_are_vouched_for_by_later_ones(keyring: Keyring) -> None:
    """After a rotation the old key may go; but a last seal of an unknown key is a forgery."""
    old = Keyring(bytes(32))
    seals, entries = a_log((5, 5), old)
    log = Log(seals, entries)
    assert judged(log.copy(), old).finding is None
    unknown = judged(log.copy(), keyring).finding
    assert unknown is not None
    assert (unknown.seq, unknown.flaw) == (1, Flaw.FORGED_SEAL)
    vouched = sealed_on(log, keyring)
    assert judged(vouched.copy(), keyring) == Verdict(13, 3)
    edit_field(vouched, 2, "subject", seeded(0))
    assert judged(vouched, keyring).finding is not None


def sealed_on(log: Log, keyring: Keyring) -> Log:
    """The log with a batch more, which the hub sealed with another key."""
    copy = log.copy()
    append_sealed(copy, seeded(0))
    made = [one.entry for one in copy.entries[-3:]]
    chained = hashes(log.seals[-1].head, made)
    copy.seals[-1] = next_seal(log.seals[-1], chained, NOW, keyring)
    return copy
