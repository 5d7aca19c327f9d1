import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from student_hub.entry.stack.errors import LockHeld
from student_hub.entry.stack.lock import FolderLock, is_held
from student_hub.entry.stack.state import StackState, read_state, remove_state, write_state

pytestmark = pytest.mark.requirement("up-clear-refusals")

HOLD = """
import os, pathlib, sys
from student_hub.entry.stack.lock import FolderLock
with FolderLock(pathlib.Path(sys.argv[1])) as lock:
    if len(sys.argv) > 2:
        os.set_inheritable(lock.descriptor, True)
        os.posix_spawn("/bin/sh", ["sh", "-c", "read line"], {})
        os._exit(0)
    sys.stdout.write("held\\n"); sys.stdout.flush(); sys.stdin.read()
"""
STATE = StackState(7, "http://127.0.0.1:8000", "key", "postgresql://", "redis://", {"api": 1}, {})


def test_a_second_holder_is_told_who_runs(tmp_path: Path) -> None:
    """The sentence carries the pid, and the folder is free again after a kill -9 of the holder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        runs = f"another student-hub runs on this data folder \\(pid {holder.pid}\\)"
        with pytest.raises(LockHeld, match=runs), FolderLock(tmp_path):
            pass
        holder.kill()
    with FolderLock(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_a_start_waits_for_the_guard_of_a_dead_supervisor(tmp_path: Path) -> None:
    """While the holder is dead and its guard still tidies up, a new start waits."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path, "leave"], stdin=subprocess.PIPE
    ) as holder:
        holder.wait()
        assert is_held(tmp_path)
        with pytest.raises(LockHeld), FolderLock(tmp_path, patience=0.2):
            pass
        assert holder.stdin
        holder.stdin.close()
        with FolderLock(tmp_path):
            pass


def test_the_state_is_for_its_owner_and_for_the_time_of_the_run(tmp_path: Path) -> None:
    """A state file that a killed supervisor left does not pass for a running stack."""
    assert read_state(tmp_path) is None
    with FolderLock(tmp_path):
        write_state(tmp_path, STATE)
        assert read_state(tmp_path) == STATE
    assert read_state(tmp_path) is None
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "stack.json").read_text())["api_key"] == "key"
    remove_state(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
