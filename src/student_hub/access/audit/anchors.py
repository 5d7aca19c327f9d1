"""Anchors: the heads of sealed batches in a file outside of the database.

Who can change the log and its seals together cannot change what has been written down here, or
copied from here to another machine.
"""

import errno
import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import orjson
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from student_hub.access.audit.chain import Seal, hash_of

log = structlog.get_logger()
LAST_BYTES = 4_096


class AnchorsUnreadable(ValueError):
    """The file of anchors has a line that is none."""


class Anchor(BaseModel):
    """A batch as it was when it was sealed; hashes are hexadecimal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    last_seq: int
    sealed_at: str
    seal: str
    """SHA-256 of the seal, which covers the batch and all before it."""


def anchor_of(seal: Seal) -> Anchor:
    """What to remember of the seal."""
    return Anchor(
        number=seal.number,
        last_seq=seal.last_seq,
        sealed_at=seal.sealed_at.astimezone(UTC).isoformat(),
        seal=hash_of(seal).hex(),
    )


@dataclass(frozen=True, slots=True)
class Anchors:
    """The file; of what is whole in it, nothing is ever changed by the hub."""

    path: Path

    def add(self, seals: Iterable[Seal]) -> None:
        """Appends an anchor for each seal; on disk when this returns. OSError when it cannot."""
        lines = b"".join(orjson.dumps(anchor_of(seal).model_dump()) + b"\n" for seal in seals)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _cut_off_remains(descriptor)
            if os.write(descriptor, lines) != len(lines):
                raise OSError(errno.ENOSPC, "anchors were not written whole")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def last(self) -> Anchor | None:
        """The newest one; None when there is none that can be read."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - LAST_BYTES))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        return next((found for line in reversed(lines[:-1]) if (found := _read(line))), None)

    def all(self) -> list[Anchor]:
        """Every one; AnchorsUnreadable names the line that is none, but for a cut-off last one."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = []
        for number, line in enumerate(lines[:-1], 1):
            anchor = _read(line)
            if anchor is None:
                raise AnchorsUnreadable(f"line {number} of {self.path.name} is no anchor")
            found.append(anchor)
        return found


def _cut_off_remains(descriptor: int) -> None:
    """Takes away a last line that a crash left without its end; the next would be glued to it."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - LAST_BYTES)
    end = start + os.pread(descriptor, LAST_BYTES, start).rfind(b"\n") + 1
    if end < size:
        os.ftruncate(descriptor, end)


def _read(line: bytes) -> Anchor | None:
    try:
        return Anchor.model_validate_json(line)
    except ValidationError:
        return None
