"""A job is a message: what is to be done, on which queue, and how often it is tried."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.payloads import require_plain
from student_hub.platform.jobs.queues import Queue

MOST_ATTEMPTS = 12
LONGEST_RUN = timedelta(minutes=5)


class Job(BaseModel):
    """A message of the ledger: ids and plain values, never personal data, at most 64 KiB.

    A class whose fields could hold free text is refused (TypeError): what a job is about is looked
    up by its ids when it runs. `most_attempts` counts failures, and runs that ended with their
    worker; `longest` bounds one run of the handler.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    queue: ClassVar[Queue] = Queue.DEFAULT
    most_attempts: ClassVar[int] = MOST_ATTEMPTS
    longest: ClassVar[timedelta] = LONGEST_RUN

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Refuses a message that could carry what a job must not."""
        require_plain(cls.__name__, cls.model_fields)

    @classmethod
    def kind(cls) -> str:
        """The name in the ledger, from the class name: ForwardEvents -> forward_events."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


Effect: TypeAlias = Callable[[Transaction], Awaitable[None]]
"""What a job changes, written in the transaction that also ends the job.

When the database undoes that, it is called again in another one: it keeps nothing elsewhere.
"""

J = TypeVar("J", bound=Job)
Handler: TypeAlias = Callable[[J], Awaitable[Effect | None]]
"""Does a job's asking outside any transaction (perhaps twice) and returns its effect."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as a handler with an effect outside of the database has to know it."""

    key: UUID
    """The same in every run of the job, an operator's retry included: the idempotency key."""
    attempt: int
    """From 1 on. What was away (DatabaseAway, NodeFailed …) and was waited for does not count."""
    is_last: bool
    """Whether the job is set aside should this run fail."""
    keep: Callable[[Effect], Awaitable[None]]
    """Commits something before the end, such as "is being sent"; LeaseLost when the job has
    become another worker's, and then nothing more may be done for it."""


@dataclass(frozen=True, slots=True)
class Outside(Generic[J]):
    """A handler whose effect is outside of the database, where no transaction reaches.

    It may run again after it did its work: whoever gets `run.key` must take the second time for
    the first. Where nobody does (a mail server), note the intent with `run.keep` first; who finds
    it noted in a later run knows that it may have happened.
    """

    work: Callable[[J, Run], Awaitable[Effect | None]]


def inside(work: Callable[[Transaction, J], Awaitable[None]]) -> Handler[J]:
    """A handler that does all of its work in the transaction that ends the job."""

    async def handler(job: J) -> Effect:
        async def effect(tx: Transaction) -> None:
            await work(tx, job)

        return effect

    return handler


Handlers: TypeAlias = Mapping[type[Job], Handler[Any] | Outside[Any]]
"""What a room's `jobs.py` offers the workshop: a handler for each of its messages."""
