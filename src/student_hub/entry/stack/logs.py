import contextlib
import os
from collections import deque
from pathlib import Path
from typing import BinaryIO

LIMIT = 10_000_000
"""Bytes from which a log file moves over to make room for the next; one older is kept."""
_TAIL = 20
_LONGEST_LINE = 64 * 1024


class ProgramLog:
    """The log file of a program, and its last lines.

    A full disk must not end the supervisor: what cannot be written is left out.
    """

    def __init__(self, file: Path, limit: int = LIMIT) -> None:
        self._file = file
        self._limit = limit
        self._rest = b""
        self._opened: BinaryIO | None = None
        self._last: deque[str] = deque(maxlen=_TAIL)

    @property
    def tail(self) -> str:
        """The last lines since the latest start."""
        return "\n".join(self._last)

    def begin(self) -> None:
        """Forget the last lines, for the program starts anew."""
        self._last.clear()
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Write what the program said; the lines that it completed."""
        self._write(chunk)
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            whole, self._rest = [*whole, self._rest], b""
        lines = [line.decode(errors="replace").rstrip("\r") for line in whole]
        self._last.extend(lines)
        return lines

    def finish(self) -> list[str]:
        """The program closed its output; what is left of an unfinished line."""
        return self.feed(b"\n") if self._rest else []

    def close(self) -> None:
        if self._opened:
            with contextlib.suppress(OSError):
                self._opened.close()
            self._opened = None

    def _write(self, chunk: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._opened is None:
                self._opened = _open_private(self._file)
            self._opened.write(chunk)
            if self._opened.tell() > self._limit:
                self.close()
                self._file.replace(self._file.with_name(f"{self._file.name}.1"))


def _open_private(file: Path) -> BinaryIO:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)
