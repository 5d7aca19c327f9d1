"""The queues of background work."""

from enum import StrEnum


class Queue(StrEnum):
    """The queues of the contract, each with workers of its own."""

    HIGH_PRIORITY = "high_priority"
    DEFAULT = "default"
    LOW_PRIORITY = "low_priority"
