"""Worker processes that count, as many as a test wants, to be told to end or killed."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counting_worker import Wanted

STOP_S = 60


class Workers:
    """Processes of one kind by their numbers; a killed one can be started again."""

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self._wanted = wanted
        self._folder = folder
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, number: int) -> None:
        with (self._folder / f"worker-{number}.log").open("ab") as log:
            self.processes[number] = subprocess.Popen(
                self._wanted.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, number: int) -> None:
        """As `kill -9` does."""
        self.processes[number].kill()
        self.processes[number].wait(STOP_S)

    def terminate(self, number: int) -> int:
        """Its exit code after SIGTERM."""
        self.processes[number].send_signal(signal.SIGTERM)
        return self.processes[number].wait(STOP_S)

    def said(self, number: int) -> str:
        return (self._folder / f"worker-{number}.log").read_text()


@contextmanager
def workers(wanted: Wanted, folder: Path, how_many: int) -> Iterator[Workers]:
    """So many of them, which are gone after the block however it ends."""
    team = Workers(wanted, folder)
    try:
        for number in range(how_many):
            team.start(number)
        yield team
    finally:
        for process in team.processes.values():
            process.kill()
            process.wait(STOP_S)
