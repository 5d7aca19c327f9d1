"""The lines of a file, plain or gzip, one at a time however large the file is."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Self

from student_hub.history.errors import ImportUnreadable
from student_hub.platform.ndjson import LONGEST
from student_hub.students.schemas import Fault

GZIP = b"\x1f\x8b"
TOO_LONG = Fault("line", f"is longer than {LONGEST} bytes")
NOT_UTF8 = Fault("line", "is not UTF-8 text")


class Line(NamedTuple):
    """A line and its number from 1; `fault` says why it cannot be read."""

    number: int
    text: str
    fault: Fault | None = None


class Lines:
    """An open file: iterate over it once, inside `with`; ImportUnreadable when it is broken."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._open = ExitStack()
        self._raw: BufferedReader
        self._text: BufferedReader | gzip.GzipFile
        self.size = 0

    def __enter__(self) -> Self:
        try:
            self._raw = self._open.enter_context(self._source.open("rb"))
        except OSError as error:
            raise ImportUnreadable(problem=error.strerror or "it cannot be opened") from error
        self.size = self._source.stat().st_size
        self._text = self._raw
        if self._raw.peek(2)[:2] == GZIP:
            self._text = self._open.enter_context(gzip.open(self._raw))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def position(self) -> int:
        """Bytes of the file that have been read."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Line]:
        number = 0
        try:
            while raw := self._text.readline(LONGEST + 1):
                number += 1
                yield self._line(number, raw)
        except (OSError, EOFError, zlib.error) as error:
            problem = f"it is damaged or cut off after line {number}"
            raise ImportUnreadable(problem=problem, line=number) from error

    def _line(self, number: int, raw: bytes) -> Line:
        if len(raw) > LONGEST:
            while raw and not raw.endswith(b"\n"):
                raw = self._text.readline(LONGEST)
            return Line(number, "", TOO_LONG)
        try:
            return Line(number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            return Line(number, "", NOT_UTF8)
