"""JSON lines, read as they arrive."""

import tracemalloc
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.platform.ndjson import LONGEST, Unreadable, values

pytestmark = pytest.mark.requirement("bad-input")


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_broken_line_keeps_its_place() -> None:
    """The lines after it have their own numbers."""
    read = [value async for value in values(arriving(b'{"a": 1}\n{\n\n"x"'))]
    assert read[0] == {"a": 1}
    assert isinstance(read[1], Unreadable)
    assert read[2:] == ["x"]


@given(st.lists(st.integers(0, 60)))
async def test_it_does_not_matter_where_the_body_is_cut(cuts: list[int]) -> None:
    """Not even within a letter."""
    body = '{"이름": "김철수"}\r\n[1, 2]\n\n  \n"끝"\n'.encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    chunks = [body[a:b] for a, b in pairwise(places)]
    read = [value async for value in values(arriving(*chunks))]
    assert read == [{"이름": "김철수"}, [1, 2], "끝"]


@pytest.mark.parametrize("size", [1_000, 100_000, 10_000_000])
async def test_a_line_that_is_too_long_is_refused_in_its_place(size: int) -> None:
    """However it is cut, no more of it is kept than the limit; its neighbours are read."""
    line = b'"' + b"x" * (LONGEST + 1) + b'"'
    body = b"1\n" + line + b"\n" + b'"' + b"y" * (LONGEST - 2) + b'"\n2'
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    first, long, longest, last = [value async for value in values(arriving(*chunks))]
    assert (first, last) == (1, 2)
    assert long == Unreadable(f"is longer than {LONGEST} bytes")
    assert longest == "y" * (LONGEST - 2)


async def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    """Of 64 MiB on one line no more is ever held than shows that it is too long."""
    chunk = b"x" * LONGEST
    tracemalloc.start()
    try:
        read = [value async for value in values(arriving(*[chunk] * 256))]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [type(value) for value in read] == [Unreadable]
    assert peak < 16 * LONGEST
