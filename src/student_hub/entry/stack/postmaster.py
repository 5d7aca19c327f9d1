"""The file `postmaster.pid`, by which PostgreSQL tells its state and keeps a second one away.

Its lines (PostgreSQL's pidfile.h): pid, data folder, start time, port, socket folder, listen
address, shared memory key, status.
"""

import os
import signal
from pathlib import Path

from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.processes import stop_leftover

_NAME = "postmaster.pid"
_STATUS_LINE = 7
_STOPS = (signal.SIGINT, signal.SIGQUIT)
_EACH = 15.0


def is_ready(pgdata: Path) -> bool:
    """Whether the running server takes connections."""
    lines = _lines(pgdata)
    return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


def settle(pgdata: Path) -> None:
    """Make way for a start by this process: no server of ours left, and no stale pid in the way.

    PostgreSQL refuses to start while the pid in the file answers, be it a zombie's or another
    program's by now. It passes over its starter's own pid, so that is put in: deleting the file
    would also switch off its check that no old backend still uses the shared memory.
    """
    lines = _lines(pgdata)
    if not lines:
        return
    pid = _number(lines[0])
    if pid and not stop_leftover(pid, f"-D {pgdata} ", _STOPS, _EACH):
        raise StackError(f"an older PostgreSQL (pid {pid}) on {pgdata} does not stop: kill {pid}.")
    left = _lines(pgdata)
    if left:
        _rewrite(pgdata / _NAME, [str(os.getpid()), *left[1:_STATUS_LINE]])


def _rewrite(file: Path, lines: list[str]) -> None:
    with file.open("r+") as opened:  # in place: it stays its owner's
        opened.truncate()
        opened.write("\n".join(lines) + "\n")


def _lines(pgdata: Path) -> list[str]:
    try:
        return (pgdata / _NAME).read_text().splitlines()
    except FileNotFoundError:
        return []


def _number(text: str) -> int:
    return abs(int(text)) if text.strip().lstrip("-").isdigit() else 0
