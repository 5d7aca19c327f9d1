"""Keys derived from one master key, and values sealed to a place."""

import base64

import pytest

from student_hub.platform.errors import NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.platform.security.keyring import Keyring, MasterKeyUnusable
from student_hub.platform.security.sealing import SealBroken, new_key, seal, unseal

pytestmark = pytest.mark.requirement("students-sealed")

MASTER = bytes(range(32))


def test_keys_differ_by_purpose_and_by_master_key() -> None:
    """One purpose's key tells nothing about another's, and is the same each time."""
    keyring = Keyring(MASTER)
    keys = [keyring.derive("a"), keyring.derive("b"), Keyring(bytes(32)).derive("a"), MASTER]
    assert len(set(keys)) == 4
    assert keyring.derive("a") == Keyring(MASTER).derive("a")


def test_a_master_key_is_read_from_either_base64() -> None:
    """Standard and URL-safe, with blanks around it."""
    master = bytes([251, 255] * 16)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert Keyring.from_base64(f" {encode(master).decode()}\n").key_id == Keyring(master).key_id


@pytest.mark.parametrize("text", ["", "short", "!!!!", base64.b64encode(bytes(31)).decode()])
def test_a_bad_master_key_is_refused_without_being_shown(text: str) -> None:
    """The error names the setting."""
    with pytest.raises(MasterKeyUnusable, match="ENCRYPTION_KEY") as refused:
        Keyring.from_base64(text)
    assert not text or text not in str(refused.value)


def test_fingerprints_are_equal_for_equal_values_under_one_key() -> None:
    """And differ by value, purpose and master key."""
    keyring = Keyring(MASTER)
    prints = {
        keyring.fingerprint("names", "김철수"),
        keyring.fingerprint("names", "김영희"),
        keyring.fingerprint("other", "김철수"),
        Keyring(bytes(32)).fingerprint("names", "김철수"),
    }
    assert len(prints) == 4
    assert keyring.fingerprint("names", "김철수") in prints


def test_a_seal_opens_at_its_place_with_its_key() -> None:
    """And two seals of one value are not alike."""
    key = new_key()
    first, second = (seal(key, b"value", "place") for _ in range(2))
    assert first != second
    assert unseal(key, first, "place") == unseal(key, second, "place") == b"value"


def test_every_flipped_bit_breaks_the_seal() -> None:
    """Nonce, ciphertext and tag are all protected."""
    key = new_key()
    sealed = seal(key, b"value", "place")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            unseal(key, bytes(altered), "place")


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_a_cut_off_seal_is_broken(length: int) -> None:
    """However little is left of it."""
    key = new_key()
    with pytest.raises(SealBroken):
        unseal(key, seal(key, b"value", "place")[:length], "place")


def test_another_place_or_key_breaks_the_seal() -> None:
    """A value cannot be moved."""
    key = new_key()
    sealed = seal(key, b"value", "students|name|1")
    for other_key, place in ((key, "students|name|2"), (new_key(), "students|name|1")):
        with pytest.raises(SealBroken):
            unseal(other_key, sealed, place)


def test_a_caller_may_what_their_scopes_say_and_an_administrator_all() -> None:
    """A missing scope is named."""
    reader = Caller("reader", frozenset({Scope.READ}))
    reader.require(Scope.READ)
    with pytest.raises(NotAllowed, match="write"):
        reader.require(Scope.WRITE)
    for scope in Scope:
        SYSTEM.require(scope)
