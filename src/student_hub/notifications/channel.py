"""The port to the outside: a message is handed over, and the channel says what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    """Not taken, but it may be later."""
    PERMANENT = "permanent"
    """Refused for good."""
    UNKNOWN = "unknown"
    """It broke off where it may have been taken."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message; `reason` is a word of the program."""

    outcome: Outcome
    reason: str | None = None
    provider_id: str | None = None
    bad_address: bool = False
    """Whether nothing will ever reach that address."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message, ready to go out. Its id is the same however often it is sent."""

    id: UUID
    to: str
    recipient: str
    title: str
    text: str
    html: str
    kind: str
    data: dict[str, object]
    unsubscribe: str | None = None
    """Where the reader can say, with one click, that they want no more of this."""


class Channel(Protocol):
    """A way out. `repeatable`: who gets a message twice can tell by its id, and takes it once."""

    repeatable: bool

    async def send(self, message: Message) -> Result:
        """What became of it; raises nothing that the outside could cause."""
        ...
