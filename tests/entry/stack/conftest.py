import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from student_hub.entry.stack.folder import open_folder


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """Where a data folder can be made that every account can reach, unlike pytest's own as root."""
    path = Path(tempfile.gettempdir()) / f"student-hub test {os.getpid()} {secrets.token_hex(4)}"
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder(new_folder: Path) -> Path:
    return open_folder(new_folder)


@pytest.fixture
def fallback(new_folder: Path) -> Iterator[Path]:
    """A place that every account can reach, in the stead of /var/lib/student-hub."""
    path = new_folder.with_name(f"{new_folder.name} system")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has another account to run PostgreSQL as")
