"""The store's protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.platform.cache.resp import NotResp, Reader, Refused, Reply, command

pytestmark = pytest.mark.requirement("cache-line")

PLAIN = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=60),
    st.text("abcXYZ -_.", max_size=20).map(Refused),
)
REPLIES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


def encoded(reply: Reply) -> bytes:
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case Refused():
            return b"-%b\r\n" % reply.encode()
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case list():
            return b"*%d\r\n%b" % (len(reply), b"".join(map(encoded, reply)))


@given(st.lists(REPLIES, max_size=6), st.lists(st.integers(0, 400), max_size=12))
def test_replies_are_read_whatever_pieces_they_arrive_in(
    replies: list[Reply], cuts: list[int]
) -> None:
    """Values, numbers, nothing, refusals and lists of them, cut anywhere, come out as they were."""
    data = b"".join(map(encoded, replies))
    reader, read, start = Reader(), list[Reply](), 0
    for cut in [*sorted(cuts), len(data)]:
        read += reader.feed(data[start:cut]) if cut > start else []
        start = max(start, cut)
    assert read == replies
    assert [type(reply) for reply in read] == [type(reply) for reply in replies]


def test_a_status_is_read_like_a_value() -> None:
    """`+OK` is what the greeting is answered with."""
    assert Reader().feed(b"+OK\r\n+PONG\r\n") == [b"OK", b"PONG"]


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b"$x\r\n", b"*1\r\n?\r\n"])
def test_what_is_no_resp_is_an_error(data: bytes) -> None:
    """Whoever sends that is no store, and is not waited for."""
    with pytest.raises(NotResp):
        Reader().feed(data)


def test_a_command_says_the_length_of_each_word_in_bytes() -> None:
    """Text is UTF-8, and numbers are written out."""
    assert command(b"SET", "이름", 12) == (
        b"*3\r\n$3\r\nSET\r\n$6\r\n\xec\x9d\xb4\xeb\xa6\x84\r\n$2\r\n12\r\n"
    )
