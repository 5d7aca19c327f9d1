"""The whole platform as a person starts it: `student-hub up` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

HUB = (sys.executable, "-m", "student_hub.entry.cli")
READY = "stop     Ctrl-C"
START_S = 150.0
STOP_S = 60.0


@dataclass
class Stack:
    """A started platform, its data folder and what it has printed so far."""

    folder: Path
    port: int
    nodes_port: int
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    @property
    def pids(self) -> dict[str, int]:
        """The processes by name, as the stack published them."""
        pids: dict[str, int] = orjson.loads((self.folder / "data/stack.json").read_bytes())["pids"]
        return pids

    def hub(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `student-hub` with these arguments on this stack's data folder."""
        return run_hub(*arguments, "--data-dir", str(self.folder / "data"), stdin=stdin)

    def env(self) -> dict[str, str]:
        lines = self.hub("env").stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


def run_hub(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HUB, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=clean_environment(),
        cwd="/",
    )


@contextmanager
def started(folder: Path, *options: str, says: str = READY, **given: str) -> Iterator[Stack]:
    """`up` on free ports, until it says that; whatever is left of it at the end is killed."""
    port, nodes_port = free_ports()
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [
                *(*HUB, "up", "--data-dir", str(folder / "data")),
                *("--port", str(port), "--nodes-port", str(nodes_port), *options),
            ],
            stdout=said,
            stderr=said,
            env={**clean_environment(), **given},
            cwd="/",
        )
    stack = Stack(folder, port, nodes_port, process)
    try:
        until(lambda: says in stack.said or process.poll() is not None, START_S)
        assert process.poll() is None, stack.said
        yield stack
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_S)


def until(happened: Callable[[], bool], seconds: float) -> None:
    """Waits for something that another process does; AssertionError when it takes too long."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"did not happen within {seconds} s"
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    """Whether the process is no more; a zombie that nobody has collected counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def clean_environment() -> dict[str, str]:
    """The environment without settings that the tests' own servers brought in."""
    ours = ("DATABASE_URL", "REDIS_URL", "API_KEY", "ENCRYPTION_KEY")
    return {name: value for name, value in os.environ.items() if name not in ours}


def free_ports() -> tuple[int, int]:
    """A free port, and another with five free ones behind it, unlike other test processes'."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    mine = 21_001 + os.getpid() % 1_000 * 10
    first = next(base for base in range(mine, 32_000, 10) if all(map(is_free, row_of_six(base))))
    return port, first


def row_of_six(base: int) -> range:
    return range(base, base + 6)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
