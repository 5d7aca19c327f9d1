"""What is known about a process that somebody else started."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_STEP = 0.02


def command_of(pid: int) -> str:
    """The command line of a running process; empty for none, a zombie, or one that hides it."""
    proc = Path("/proc/self/cmdline")
    if not proc.exists():
        return _command_by_ps(pid)
    try:
        raw = proc.parent.with_name(str(pid)).joinpath("cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def stop_leftover(pid: int, mark: str, signals: tuple[signal.Signals, ...], each: float) -> bool:
    """Stop a process whose command line holds `mark`, `each` seconds a signal; whether it is gone.

    A number that now belongs to another program is left alone and counts as gone.
    """
    for number in signals:
        if mark not in command_of(pid):
            return True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        _wait_until_other(pid, mark, each)
    return mark not in command_of(pid)


def _wait_until_other(pid: int, mark: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while mark in command_of(pid) and time.monotonic() < until:
        time.sleep(_STEP)


def _command_by_ps(pid: int) -> str:
    asked = subprocess.run(  # noqa: S603 - a number is all that is filled in
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()
