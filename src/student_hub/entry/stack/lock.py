import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from student_hub.entry.stack.errors import LockHeld, failure
from student_hub.entry.stack.processes import command_of

_NAME = "lock"
_STEP = 0.05


class FolderLock:
    """The right to run on a data folder, held while the block lasts; raises LockHeld.

    A guard that is given `descriptor` keeps the lock until it has stopped what its supervisor left,
    so a start right after a `kill -9` waits for that, up to `patience` seconds.
    """

    def __init__(self, data_dir: Path, patience: float = 40.0) -> None:
        self._file = data_dir / _NAME
        self._patience = patience
        self.descriptor = -1

    def __enter__(self) -> Self:
        try:
            self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise failure(str(self._file), "could not be opened", str(error)) from error
        try:
            self._acquire()
        except LockHeld:
            os.close(self.descriptor)
            raise
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)  # not unlocked by word: a guard may still hold it

    def _acquire(self) -> None:
        until = time.monotonic() + self._patience
        while not _lock(self.descriptor):
            holder = _holder(self.descriptor)
            if command_of(holder) or time.monotonic() > until:
                raise LockHeld(f"another student-hub runs on this data folder (pid {holder}).")
            time.sleep(_STEP)


def is_held(data_dir: Path) -> bool:
    """Whether a student-hub runs on the data folder."""
    try:
        descriptor = os.open(data_dir / _NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
