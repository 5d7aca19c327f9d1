"""A job in a worker's hands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from student_hub.platform.jobs.models import JobRow
from student_hub.platform.jobs.queues import Queue

JOBS = UUID("0b5d4c8e-8f0e-5b43-9d0c-6a1f0f6d7a52")
CLAIMED = (
    JobRow.id,
    JobRow.queue,
    JobRow.kind,
    JobRow.payload,
    JobRow.attempts,
    JobRow.most_attempts,
    JobRow.runs,
    JobRow.created_at,
)
"""What a claim is made of, in its order."""


class LeaseLost(Exception):
    """Another worker has taken the job over; nothing of this run is kept."""


class AlreadyEnded(LeaseLost):
    """This very run has written its end: the commit was done, only its answer did not arrive."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in hand: `attempt` counts from 1, and `run` fences off an older run of the same job."""

    id: int
    queue_name: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    most_attempts: int
    run: int
    created_at: datetime

    @property
    def queue(self) -> Queue:
        return Queue(self.queue_name)

    @property
    def is_last(self) -> bool:
        """Whether the job is set aside should this run fail."""
        return self.attempt >= self.most_attempts

    @property
    def key(self) -> UUID:
        """The same in every run of this job, and of no other job, also after a restore."""
        return uuid5(JOBS, f"{self.id}/{self.created_at.isoformat()}")
