"""The machine's processes, read from /proc or else from ps."""

import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    pid: int
    parent: int
    group: int
    zombie: bool


def rows() -> list[Row]:
    return _rows_of_proc() if Path("/proc/self/stat").exists() else _rows_of_ps()


def descendants(pid: int) -> set[int]:
    """The processes below one, the living ones."""
    children: dict[int, list[int]] = {}
    for row in rows():
        children.setdefault(row.parent, []).append(row.pid)
    found: set[int] = set()
    front = [pid]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found.update(front)
    return living(found)


def living(pids: Iterable[int]) -> set[int]:
    """Those that still run; a zombie that nobody has reaped does not."""
    wanted = set(pids)
    return {row.pid for row in rows() if row.pid in wanted and not row.zombie}


def members(group: int) -> set[int]:
    return {row.pid for row in rows() if row.group == group and not row.zombie}


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def _rows_of_proc() -> list[Row]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        state, parent, group = text.rpartition(")")[2].split()[:3]
        found.append(Row(int(folder.name), int(parent), int(group), state in "ZX"))
    return found


def _rows_of_ps() -> list[Row]:
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid=,pgid=,stat="],
        capture_output=True,
        text=True,
        check=True,
    )
    split = [line.split() for line in listed.stdout.splitlines()]
    return [Row(int(a), int(b), int(c), state.startswith("Z")) for a, b, c, state in split]
