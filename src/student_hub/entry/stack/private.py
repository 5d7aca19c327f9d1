"""Small files of the data folder that only their owner may read."""

import contextlib
import os
import secrets
from pathlib import Path

from student_hub.entry.stack.errors import failure


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_synced(new, text)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise failure(str(path), "could not be written", error.strerror or str(error)) from error


def kept_password(path: Path) -> str:
    """The password in the file, which is made with a random one if there is none."""
    if not path.exists():
        write_private(path, secrets.token_hex(24) + "\n")
    return path.read_text().removesuffix("\n")


def _write_synced(new: Path, text: str) -> None:
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
