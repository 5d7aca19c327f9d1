"""The form of an API key."""

import pytest

from student_hub.access.errors import AdministratorKeyUnusable
from student_hub.access.keys import Peppers, check_administrator_key, new_key, read_key

pytestmark = pytest.mark.requirement("api-keys")


def test_a_new_key_reads_back_and_no_two_are_alike() -> None:
    """The form is `shk_live_<id>_<secret>_<checksum>`; id and secret are random."""
    one, another = new_key(), new_key()
    assert read_key(one.text) == one
    assert one.text.startswith(f"shk_live_{one.id}_")
    assert one.id != another.id
    assert one.text[22:70] != another.text[22:70]


@pytest.mark.parametrize("position", [0, 5, 12, 25, 69, 72, -1])
def test_a_typing_error_is_seen_without_a_look_up(position: int) -> None:
    """One changed character anywhere breaks the form or the checksum."""
    text = new_key().text
    wrong = "0" if text[position] != "0" else "1"
    index = position % len(text)
    assert read_key(text[:index] + wrong + text[index + 1 :]) is None


@pytest.mark.parametrize("text", ["", "shk_live_", "x" * 5_000, "shk_live_0_0_0", " x"])
def test_what_is_no_key_is_none(text: str) -> None:
    """Anything else is not a key, whatever its length."""
    assert read_key(text) is None


def test_a_key_with_anything_behind_it_is_none() -> None:
    """Not even a line's end is overlooked."""
    assert read_key(new_key().text + "\n") is None


def test_a_hash_depends_on_the_pepper() -> None:
    """Who has the database but not the pepper cannot try keys."""
    text = new_key().text
    one, another = Peppers({"a": b"a" * 32}), Peppers({"b": b"b" * 32})
    assert one.hash(text) != another.hash(text)
    assert len(one.hash(text)) == 32


def test_a_key_fits_its_hash_under_the_pepper_that_it_was_hashed_with() -> None:
    """Named by its master key, or whichever it was when no name was kept; never another."""
    text = new_key().text
    kept = Peppers({"old": b"o" * 32}).hash(text)
    both = Peppers({"new": b"n" * 32, "old": b"o" * 32})
    fits = [both.fits(text, kept, name) for name in ("old", None, "new", "unknown")]
    assert fits == [True, True, False, False]
    assert not both.fits(new_key().text, kept, None)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("x" * 15, "16 characters or more, it has 15"),
        ("관리자-열쇠-관리자-열쇠-관리자", "ASCII"),
        ("clé-de-l'administrateur", "ASCII"),
        ("a key with its line's end\n", "ASCII"),
        (" a key with a blank before it", "blanks"),
    ],
)
def test_a_first_key_that_no_request_could_bring_is_refused(key: str, problem: str) -> None:
    """In one sentence that does not show it; others are fine."""
    with pytest.raises(AdministratorKeyUnusable, match=problem) as caught:
        check_administrator_key(key)
    assert key not in str(caught.value)
    check_administrator_key("sixteen letters!")
