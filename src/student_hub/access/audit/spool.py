"""Files in which a process notes reads before their answers leave: they survive its `kill -9`.

A segment is a file that one process appends to, locked (flock) for as long as the process lives.
Whoever gets the lock of another's segment knows that its process is dead, and may carry it away.
"""

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import structlog

from student_hub.access.audit.errors import AuditAway

MOST_BYTES = 256 * 1_024 * 1_024
MOST_ADOPTED = 16
PIECE = 256 * 1_024
SUFFIX = ".ndjson"
UNREADABLE = "unreadable.txt"
log = structlog.get_logger()


class Segment:
    """A file of lines, held by this process alone."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._torn = False

    @classmethod
    def begin(cls, folder: Path) -> "Segment":
        """A new, empty one."""
        while True:
            path = folder / f"{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
            descriptor = os.open(path, flags, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return cls(path, descriptor)
            # Somebody took it for a dead process's, before it was locked.
            os.close(descriptor)

    @classmethod
    def adopt(cls, path: Path) -> "Segment | None":
        """What a dead process left; None while its process lives, or when another has it."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return cls(path, descriptor)
        os.close(descriptor)
        return None

    @property
    def is_there(self) -> bool:
        """Whether others could find the file."""
        return os.fstat(self._descriptor).st_nlink > 0

    def append(self, line: bytes) -> None:
        """Writes the line whole; OSError when it could not be."""
        # A line that was cut off is ended first, so that it spoils no other.
        whole = b"\n" + line if self._torn else line
        written = os.write(self._descriptor, whole)
        self.size += written
        self._torn = written != len(whole)
        if self._torn:
            raise OSError(f"{written} of {len(whole)} bytes were written")

    def read(self, offset: int) -> tuple[list[bytes], int]:
        """The lines from there on, about a megabyte of them, and where the next ones begin."""
        piece = os.pread(self._descriptor, PIECE, offset)
        end = piece.rfind(b"\n") + 1
        if not end or offset + len(piece) >= self.size:
            end = len(piece)  # what is behind the last line's end was cut off, or is no line
        return [line for line in piece[:end].split(b"\n") if line], offset + end

    def discard(self) -> None:
        """Deletes the file, which has been carried away."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def leave(self) -> None:
        """Lets go of the file, for another to carry away."""
        os.close(self._descriptor)


class Spool:
    """The folder of segments, bounded: when it is full or cannot be written, nothing may be read.

    `append` may be called from any thread, the rest is the drainer's.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._lock = threading.Lock()
        self._current: Segment | None = None
        self._behind: list[Segment] = []
        self._bytes_behind = 0

    def append(self, line: bytes) -> None:
        """Notes the line: it outlives the process from now on; AuditAway when it cannot."""
        try:
            with self._lock:
                segment = self._current = self._current or self._begin()
                self._require_room(segment.size + len(line))
                segment.append(line)
        except OSError as error:
            log.warning("audit_spool_unwritable", reason=type(error).__name__, errno=error.errno)
            raise AuditAway from error

    def behind(self) -> list[Segment]:
        """What is to be carried away: our own segment, closed, and some of dead processes.

        While something is still behind, the current one goes on, however long that lasts.
        """
        with self._lock:
            current = self._current
            if current and (not current.is_there or (current.size and not self._behind)):
                self._behind.append(current)
                self._current = None
            self._behind += islice(self._left(), MOST_ADOPTED)
            self._bytes_behind = sum(segment.size for segment in self._behind)
            return list(self._behind)

    def carried(self, segment: Segment) -> None:
        """The segment's lines are stored: it may go."""
        with self._lock:
            self._behind.remove(segment)
            self._bytes_behind -= segment.size
        segment.discard()

    def set_aside(self, line: bytes) -> None:
        """Keeps what is no entry, for a person to look at."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self._folder / UNREADABLE, flags, 0o600)
        try:
            os.write(descriptor, line + b"\n")
        finally:
            os.close(descriptor)
        log.warning("audit_line_unreadable", bytes=len(line))

    def close(self) -> None:
        """Lets go of what could not be carried away: the next process finds it."""
        with self._lock:
            for segment in (*self._behind, self._current):
                if segment:
                    segment.leave()
            self._behind, self._current = [], None

    def _begin(self) -> Segment:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        return Segment.begin(self._folder)

    def _left(self) -> Iterator[Segment]:
        """The segments of dead processes, ours from now on."""
        ours = {segment.path for segment in (*self._behind, self._current) if segment}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if path not in ours and (segment := Segment.adopt(path)):
                yield segment

    def _require_room(self, size: int) -> None:
        if self._bytes_behind + size > self._most:
            log.warning("audit_spool_full", bytes=self._bytes_behind + size)
            raise AuditAway
