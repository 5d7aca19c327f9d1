"""JSON lines (application/x-ndjson): one strict JSON value a line, read as it arrives."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from student_hub.platform.strict_json import NotJson, read

MEDIA_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for a line that is not JSON: it takes its place, and its number."""

    problem: str


async def values(chunks: AsyncIterable[bytes]) -> AsyncIterator[object]:
    """The value of each line that is not blank; `Unreadable` for one that is not JSON."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield _value(line)
    if rest.strip():
        yield _value(rest)


def _value(line: bytes) -> object:
    try:
        return read(line)
    except NotJson as error:
        return Unreadable(f"is not JSON: {error}")
