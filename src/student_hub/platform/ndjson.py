"""JSON lines (application/x-ndjson): one strict JSON value a line, read as it arrives."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from student_hub.platform.strict_json import NotJson, read

MEDIA_TYPE = "application/x-ndjson"
LONGEST = 256 * 1_024
"""Bytes of the longest line that is read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for a line that is not JSON: it takes its place, and its number."""

    problem: str


async def values(chunks: AsyncIterable[bytes]) -> AsyncIterator[object]:
    """The value of each line that is not blank; `Unreadable` for one too long, or no JSON."""
    async for line in _lines(chunks):
        if line.strip():
            yield _value(line)


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Each line; of one that is too long, no more than shows that it is."""
    line = bytearray()
    async for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line += end[: LONGEST + 1 - len(line)]
            yield bytes(line)
            line.clear()
        line += rest[: LONGEST + 1 - len(line)]
    yield bytes(line)


def _value(line: bytes) -> object:
    if len(line) > LONGEST:
        return Unreadable(f"is longer than {LONGEST} bytes")
    try:
        return read(line)
    except NotJson as error:
        return Unreadable(f"is not JSON: {error}")
