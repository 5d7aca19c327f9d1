"""A script, run by path and alone: stops every process group that is left when its input ends.

Its input is a pipe that only the supervisor holds open, so it ends however the supervisor does.
Its lines are `+ GROUP STOP HARD GRACE` (signal numbers, seconds) from each leash, and `- GROUP`
when one has ended.
"""

import os
import signal
import sys
import time

HARD_GRACE = 2.0
Group = tuple[int, int, float]


def signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


def runs(group: int) -> bool:
    """Whether a member is alive: in a container whose first process reaps nobody, zombies stay."""
    if not signal_group(group, 0):
        return False
    if state_and_group(str(group)) != ["Z", str(group)]:
        return True
    found = map(state_and_group, filter(str.isdigit, os.listdir("/proc")))  # noqa: PTH208
    return any(row[1:] == [str(group)] and row[0] not in "ZX" for row in found)


def state_and_group(pid: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - pathlib would double the start
            fields = file.read().rpartition(")")[2].split()
    except OSError:  # it has ended, or there is no /proc
        return []
    return [fields[0], fields[2]]


def wait_until_gone(groups: dict[int, float]) -> None:
    while any(time.monotonic() < until and runs(group) for group, until in groups.items()):
        time.sleep(0.02)


def ask_to_stop(group: int, number: int) -> None:
    """Only the leader is asked, for it stops its workers in its own way; they are if it is gone."""
    try:
        os.kill(group, number)
    except ProcessLookupError:
        signal_group(group, number)


def stop_all(groups: dict[int, Group]) -> None:
    for group in reversed(groups):
        ask_to_stop(group, groups[group][0])
    now = time.monotonic()
    wait_until_gone({group: now + grace for group, (_, _, grace) in groups.items()})
    left = [group for group in groups if runs(group)]
    for group in left:
        signal_group(group, groups[group][1])
    wait_until_gone(dict.fromkeys(left, time.monotonic() + HARD_GRACE))
    for group in left:
        signal_group(group, signal.SIGKILL)


def note(groups: dict[int, Group], line: str) -> None:
    kind, group, *rest = line.split()
    if kind == "+":
        groups[int(group)] = (int(rest[0]), int(rest[1]), float(rest[2]))
    else:
        groups.pop(int(group), None)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, Group] = {}
    for line in sys.stdin:
        note(groups, line)
    stop_all(groups)


if __name__ == "__main__":
    main()
