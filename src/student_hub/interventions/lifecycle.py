"""The states of an intervention."""

from enum import StrEnum


class Status(StrEnum):
    """`proposed` waits for a decision; `completed` and `cancelled` are the end."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OVER = frozenset({Status.COMPLETED, Status.CANCELLED})


class Phase(StrEnum):
    """When abilities were written down: as the intervention began, and when it was completed."""

    START = "start"
    END = "end"
