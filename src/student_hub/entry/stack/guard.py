"""Sees to it that no process outlives its supervisor, even one that is killed with -9."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from student_hub.entry.stack.program import Program

_PYTHON = (sys.executable, "-I", "-S")  # no site-packages: starts in 10 ms
_GUARD = str(Path(__file__).with_name("guard_process.py"))
_LEASH = str(Path(__file__).with_name("leash.py"))


class Guard:
    """A process of its own session that stops all groups once our end of its pipe closes."""

    def __init__(self, keep_open: tuple[int, ...] = ()) -> None:
        """Start it; it holds `keep_open`, such as a locked file, until all groups are stopped."""
        self._keep_open = keep_open
        self._groups: dict[int, Program] = {}
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def pipe(self) -> int:
        """The descriptor that a leashed child must inherit (`pass_fds`)."""
        return self._pipe

    def leashed(self, program: Program) -> list[str]:
        """The arguments that start a program tied to this process and known to the guard.

        Start it with `pass_fds=(guard.pipe,)` and `start_new_session=True`, from the main thread:
        Linux kills the child when the thread that started it ends.
        """
        account = ["-" if part is None else str(part) for part in (program.user, program.group)]
        stop, hard = int(program.stop_signal), int(program.hard_signal)
        numbers = (os.getpid(), self._pipe, stop, hard, program.stop_grace)
        return [*_PYTHON, _LEASH, *map(str, numbers), *account, *program.argv]

    def remember(self, group: int, program: Program) -> None:
        """Note a started group, so that a guard that is itself killed can be replaced."""
        self._groups[group] = program

    def forget(self, group: int) -> None:
        """Tell that a group has ended: its number may be another's soon."""
        self._groups.pop(group, None)
        self._write(f"- {group}\n")

    def revive(self) -> bool:
        """Replace the guard when it has died; whether it had."""
        if self._process.poll() is None:
            return False
        os.close(self._pipe)
        self._start()
        for group, program in self._groups.items():
            stop, hard = int(program.stop_signal), int(program.hard_signal)
            self._write(f"+ {group} {stop} {hard} {program.stop_grace}\n")
        return True

    def close(self) -> None:
        """Let the guard stop what is left, and wait for it."""
        os.close(self._pipe)
        self._process.wait()

    def _start(self) -> None:
        reading, self._pipe = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            [*_PYTHON, _GUARD],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=self._keep_open,
            start_new_session=True,
        )
        os.close(reading)

    def _write(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # a dead guard is replaced, and told all
            os.write(self._pipe, line.encode())
