"""What is JSON to the hub."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


KEYS = st.sampled_from(["a", "b", "a:b", " :", '":', "이름", "\\", ""])
BLANKS = st.sampled_from(["", " ", "\n", "\t ", "\r"])
LEAVES = st.sampled_from(["1", "-0.5", "true", "null", '"x"', '" :"', '"\\":"', '"a:"', "[]", "{}"])


@st.composite
def texts(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON with keys and strings that look like each other, written in many ways."""
    if depth == 0 or draw(st.booleans()):
        return draw(LEAVES)
    blank = draw(BLANKS)
    if draw(st.booleans()):
        return f"[{blank}{','.join(draw(st.lists(texts(depth - 1), max_size=3)))}{blank}]"
    members = draw(st.lists(st.tuples(KEYS, texts(depth - 1), BLANKS), max_size=4))
    written = [f"{json.dumps(k)}{b}:{b}{v}" for k, v, b in members]
    return f"{{{blank}{','.join(written)}{blank}}}"


@given(texts())
def test_a_key_is_found_doubled_exactly_when_it_is(text: str) -> None:
    """However the text is written: compared with a reader that looks at every pair."""
    doubled = False

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal doubled
        doubled |= len(dict(pairs)) != len(pairs)
        return dict(pairs)

    plain = json.loads(text, object_pairs_hook=look)
    if doubled:
        with pytest.raises(NotJson, match="twice"):
            read(text.encode())
    else:
        assert read(text.encode()) == plain
