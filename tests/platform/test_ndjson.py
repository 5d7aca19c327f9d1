"""JSON lines, read as they arrive."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.platform.ndjson import Unreadable, values

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
