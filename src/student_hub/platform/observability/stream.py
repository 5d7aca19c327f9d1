"""Where log lines go: to the process's standard error, those of one turn of the loop in one go."""

import asyncio
import atexit
import threading
from typing import IO

URGENT = frozenset({"error", "critical"})


class Lines:
    """A logger in structlog's sense, for lines that are bytes already.

    In a running loop they leave when its turn is over, all in one system call: under load that
    costs a fraction. Elsewhere, and from an error on, they leave at once. A process that is killed
    may lose those of its last turn.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._held: list[bytes] = []
        self._lock = threading.Lock()
        atexit.register(self.flush)

    def write(self, line: bytes) -> None:
        """The line, at the latest when the loop's turn is over."""
        with self._lock:
            self._held.append(line)
            waits = len(self._held) > 1
        if not waits and not self._is_put_off():
            self.flush()

    def write_now(self, line: bytes) -> None:
        """The line and all before it."""
        with self._lock:
            self._held.append(line)
        self.flush()

    def flush(self) -> None:
        """Sends what is held."""
        with self._lock:
            held, self._held = self._held, []
            if held and not self._file.closed:
                held.append(b"")
                _send(self._file, b"\n".join(held))

    debug = info = warning = write
    error = critical = write_now

    def _is_put_off(self) -> bool:
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:  # no loop runs here, or it is being closed
            return False
        return True


def _send(file: IO[str], data: bytes) -> None:
    raw = getattr(file, "buffer", None)
    if raw is None:
        file.write(data.decode())
        file.flush()
        return
    raw.write(data)
    raw.flush()
