"""What is JSON to the hub."""

import pytest

from student_hub.platform.strict_json import DEEPEST, NotJson, read

pytestmark = pytest.mark.requirement("bad-input")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'{"a":', "broken at line 1, column 6"),
        (b'{"a": NaN}', "broken"),
        (b'{"a": -Infinity}', "broken"),
        (b'{"a": 1e999}', "broken"),
        (b'"\\ud800"', "broken"),
        (b'"\xff"', "broken"),
        (b"", "broken"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "names a key twice"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested deeper"),
        (b"[" * 100_000, "broken"),
    ],
)
def test_what_readers_would_read_differently_is_refused(text: bytes, problem: str) -> None:
    """Each text is refused, with a reason that says which fault it has."""
    with pytest.raises(NotJson, match=problem):
        read(text)


def test_plain_json_is_read_as_it_stands() -> None:
    """Nothing is changed on the way, up to the deepest nesting allowed."""
    assert read('{"이름": ["a", 1, 0.5, true, null]}'.encode()) == {
        "이름": ["a", 1, 0.5, True, None]
    }
    assert read(b"[" * DEEPEST + b"]" * DEEPEST)
