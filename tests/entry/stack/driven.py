"""`drive.py` as a child process."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from entry.stack.table import descendants, living, wait_until
from student_hub.entry.stack.state import StackState, read_state

NOBODY = 65534
SCRIPT = Path(__file__).with_name("drive.py")


@dataclass(frozen=True)
class Driven:
    process: subprocess.Popen[str]
    folder: Path

    def wait_for(self, line: str) -> None:
        assert self.process.stdout
        heard = []
        while line not in (said := self.process.stdout.readline()):
            heard.append(said)
            assert said, f"ended without saying {line!r}: {heard}"

    def state(self) -> StackState:
        state = read_state(self.folder)
        assert state
        return state

    def everything(self) -> set[int]:
        """All its processes, its own included."""
        return {self.process.pid, *descendants(self.process.pid)}


@contextmanager
def driven(folder: Path, python: str = sys.executable, uid: int | None = None) -> Iterator[Driven]:
    """Run it until the block ends, whatever happens there; it is up when the block begins."""
    process = start(folder, python, uid)
    child = Driven(process, folder)
    try:
        child.wait_for("up\n")
        yield child
    finally:
        left = child.everything()
        process.terminate()
        process.communicate(timeout=60)
        wait_until(lambda: not living(left))


def start(
    folder: Path, python: str = sys.executable, uid: int | None = None
) -> subprocess.Popen[str]:
    found = ":".join(path for path in sys.path if path)
    return subprocess.Popen(
        [python, str(SCRIPT), str(folder)],
        env={**os.environ, "PYTHONPATH": found, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
        start_new_session=True,
    )


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def ordinary_python() -> str:
    """A Python that an account without rights can run: root's own may lie in a closed home."""
    found = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    if found and subprocess.run([found, "-c", new_enough], check=False).returncode == 0:
        return found
    pytest.skip("no Python 3.11 outside root's home")


def folder_of_nobody(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    shutil.chown(folder, NOBODY, NOBODY)
    return folder
