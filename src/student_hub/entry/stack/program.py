import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LOADER = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def plain_environment() -> dict[str, str]:
    """What a server needs of ours: no secret, no setting, only how to find libraries."""
    kept = {name: os.environ[name] for name in _LOADER if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", **kept}


@dataclass(frozen=True)
class Program:
    """A process to run: how it starts, when it is ready, and how it stops."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment: nothing is inherited."""
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace: float = 10.0
    """Seconds from the stop signal to harder means."""
    hard_signal: signal.Signals = signal.SIGKILL
    """Sent after the grace, a moment before SIGKILL."""
    ready: Callable[[], Awaitable[bool]] | None = None
    """Asked again and again until true; without it the program is ready when it runs."""
    ready_within: float = 60.0
    """Seconds."""
    before: Callable[[], None] | None = None
    """Called ahead of every start, restarts included."""
    user: int | None = None
    group: int | None = None
    restart: bool = True
