"""The servers that the other tests run on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from entry.stack.driven import kill
from entry.stack.table import descendants, living, wait_until
from servers import DATABASE_VARIABLE, REDIS_VARIABLE

pytestmark = pytest.mark.requirement("embedded-servers")

SERVE = """
import sys, time, servers
with servers.postgres_server(), servers.valkey_server():
    sys.stdout.write("up\\n"); sys.stdout.flush(); time.sleep(1000)
"""
SHARED = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(8))
def test_note(number, postgres_url, valkey_url):
    with pathlib.Path(__file__).with_name("note").open("a") as file:
        print(os.getpid(), postgres_url, valkey_url, file=file)
"""


def environment(tmp: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    for given in (DATABASE_VARIABLE, REDIS_VARIABLE):
        own.pop(given, None)
    return own | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp)}


def test_they_die_with_a_test_run_that_is_killed(new_folder: Path) -> None:
    """A kill -9 of the tests leaves no server, and the next run removes its files."""
    new_folder.mkdir()
    new_folder.chmod(0o711)
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment(new_folder), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        everything = {process.pid, *descendants(process.pid)}
        assert len(everything) > 5
        kill(process.pid)
    wait_until(lambda: not living(everything))
    assert len(list(new_folder.glob("student-hub-tests-*"))) == 2
    run_pytest(new_folder, "--markers")
    assert not list(new_folder.glob("student-hub-tests-*"))


def test_the_workers_of_one_run_share_them(new_folder: Path, tmp_path: Path) -> None:
    """Two processes, one PostgreSQL, one Valkey, and nothing left afterwards."""
    new_folder.mkdir()
    new_folder.chmod(0o711)
    test = tmp_path / "test_shared.py"
    test.write_text(SHARED)
    run_pytest(new_folder, "-n", "2", str(test))
    noted = [line.split() for line in (tmp_path / "note").read_text().splitlines()]
    assert len({pid for pid, _, _ in noted}) == 2
    assert len({(postgres, valkey) for _, postgres, valkey in noted}) == 1
    assert not list(new_folder.glob("student-hub-tests-*"))


def run_pytest(tmp: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "servers", *arguments],
        env=environment(tmp),
        cwd=tmp,
        stdout=subprocess.DEVNULL,
        check=True,
    )
