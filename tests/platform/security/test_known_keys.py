"""Several master keys at once: the current one, and those that may still open."""

import base64

import pytest

from student_hub.platform.security.keyring import Keyring, MasterKeyUnknown, MasterKeyUnusable

pytestmark = pytest.mark.requirement("key-rotation")

OLD, NEW = bytes(range(32)), bytes(32)


def text(master: bytes) -> str:
    return base64.b64encode(master).decode()


def test_the_current_key_makes_and_all_known_ones_open() -> None:
    """Without an id a key is of the current master key; by its id it is of any that is known."""
    old, both = Keyring(OLD), Keyring(NEW, [OLD])
    assert both.key_id == Keyring(NEW).key_id
    assert both.known_ids == (both.key_id, old.key_id)
    assert both.derive("a") == Keyring(NEW).derive("a")
    assert both.derive("a", old.key_id) == old.derive("a")
    assert both.fingerprint("a", "x", old.key_id) == old.fingerprint("a", "x")


def test_an_unknown_key_id_is_refused() -> None:
    """Nothing is made or opened under a key that the hub does not have."""
    with pytest.raises(MasterKeyUnknown):
        Keyring(NEW).derive("a", Keyring(OLD).key_id)


@pytest.mark.parametrize("known", ["", " , ", text(NEW), f"{text(NEW)},{text(NEW)}"])
def test_saying_a_key_twice_or_none_is_no_harm(known: str) -> None:
    """The setting is a list in one line, and people leave commas behind."""
    assert Keyring.from_base64(text(NEW), known).known_ids == (Keyring(NEW).key_id,)


def test_a_bad_known_key_names_its_setting_without_being_shown() -> None:
    """Also when the others are good."""
    with pytest.raises(MasterKeyUnusable, match="ENCRYPTION_KEYS_KNOWN") as refused:
        Keyring.from_base64(text(NEW), f"{text(OLD)}, c2hvcnQ=")
    assert "c2hvcnQ" not in str(refused.value)
