import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from student_hub.entry.stack.binaries import server_account
from student_hub.entry.stack.cluster import NAME as CLUSTER
from student_hub.entry.stack.errors import StackError

LOGS = "logs"
_OWN_FOLDERS = (LOGS, "valkey")
_OWN_FILES = (*_OWN_FOLDERS, "*.password", "*.port", "lock", "stack.json")
NEEDED = 300_000_000
"""Bytes that a first start wants free: PostgreSQL's files and its write-ahead log."""


def open_folder(path: Path, needed: int = NEEDED) -> Path:
    """The data folder, made for its owner alone if there is none; raises StackError.

    As root it is made passable for the account that PostgreSQL runs as; what exists is never
    opened any further.
    """
    folder = path.expanduser().absolute()
    try:
        _make(folder)
        (folder / LOGS).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StackError(_refusal(folder, error)) from error
    _require_own(folder)
    _require_space(folder, needed)
    return folder.resolve()


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, mode=0o700)
    account = server_account()
    if account:
        os.chown(folder, 0, account.gid)
        folder.chmod(0o710)


def _refusal(folder: Path, error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{folder} is not a folder: choose another place with --data-dir DIR."
    reason = error.strerror or str(error)
    return (
        f"the data folder {folder} cannot be used ({reason}): choose another with --data-dir DIR."
    )


def _require_own(folder: Path) -> None:
    for path in (folder, *_own_files(folder)):
        if not os.access(path, os.R_OK | os.W_OK) or _made_by_a_user_before_root(folder, path):
            raise StackError(
                f"{path} belongs to another account: start as the one that made it, "
                "or choose another place with --data-dir DIR."
            )


def _made_by_a_user_before_root(folder: Path, path: Path) -> bool:
    """Root could write there, and would leave files that their user cannot read any more."""
    return os.geteuid() == 0 and path != folder and path.stat().st_uid != 0


def _own_files(folder: Path) -> Iterator[Path]:
    """Ours among what may be in an existing folder, without PostgreSQL's."""
    for name in _OWN_FILES:
        yield from folder.glob(name)
    for name in _OWN_FOLDERS:
        yield from folder.glob(f"{name}/**/*")


def _require_space(folder: Path, needed: int) -> None:
    if os.path.lexists(folder / CLUSTER):
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StackError(
            f"the disk of {folder} has {free // 1_000_000} MB free and a first start needs "
            f"{needed // 1_000_000} MB: free some, or choose another place with --data-dir DIR."
        )
