"""What the supervisor tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    ENDED = "ended"
    TROUBLED = "troubled"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Event:
    """Something that happened to a program; its text is a line for a person."""

    kind: EventKind
    program: str
    seconds: float = 0.0
    """Since the start (ready), until the restart (died), since the signal (stopped)."""
    reason: str = ""

    def __str__(self) -> str:
        return _TEXTS[self.kind](self)


OnEvent = Callable[[Event], None]
OnLine = Callable[[str, str], None]
"""Called with the program's name and a line that it wrote."""


_TEXTS: dict[EventKind, Callable[[Event], str]] = {
    EventKind.STARTING: lambda event: f"starting {event.program}",
    EventKind.READY: lambda event: f"{event.program} is ready in {event.seconds:.1f} s",
    EventKind.DIED: lambda event: (
        f"{event.program} died ({event.reason}) and restarts in {event.seconds:.0f} s"
    ),
    EventKind.ENDED: lambda event: f"{event.program} ended ({event.reason})",
    EventKind.TROUBLED: lambda event: f"{event.program} is in trouble: {event.reason}",
    EventKind.STOPPING: lambda event: f"stopping {event.program}",
    EventKind.STOPPED: lambda event: f"{event.program} stopped in {event.seconds:.1f} s",
}
