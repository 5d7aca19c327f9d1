"""Server-sent events as they arrive in pieces (WHATWG HTML, "Server-sent events")."""

import re
from collections.abc import Iterator

END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
LINE_END = re.compile(rb"\r\n|\n|\r")
LONGEST_END = 4


class Events:
    """Takes a stream apart; its length is bounded by whoever feeds it."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of each event that this piece completes, unless it has none."""
        self._rest += piece
        while ended := END.search(self._rest, max(0, self._searched - LONGEST_END)):
            event = bytes(self._rest[: ended.start()])
            end, self._searched = ended.end(), 0
            del ended  # it keeps the buffer from being shortened
            del self._rest[:end]
            if data := _data(event):
                yield data
        self._searched = len(self._rest)


def _data(event: bytes) -> bytes:
    lines = LINE_END.split(event)
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
