"""A job is a message: what is to be done, on which queue."""

import re
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.queues import Queue


class Job(BaseModel):
    """A message of the ledger: only ids and plain values, never personal data."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    queue: ClassVar[Queue] = Queue.DEFAULT

    @classmethod
    def kind(cls) -> str:
        """The name in the ledger, from the class name: ForwardEvents -> forward_events."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


Effect: TypeAlias = Callable[[Transaction], Awaitable[None]]
"""What a job changes, written in the transaction that also ends the job."""

J = TypeVar("J", bound=Job)
Handler: TypeAlias = Callable[[J], Awaitable[Effect | None]]
"""Does a job's asking outside any transaction (perhaps twice) and returns its effect."""
