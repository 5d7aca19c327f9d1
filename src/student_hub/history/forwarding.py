"""How events are handed to node 4: what it refuses holds nothing else up."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from student_hub.history.schemas import Event
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.lab import Lab

AWAY = frozenset({Reason.TIMEOUT, Reason.CIRCUIT_OPEN})
MOST_STRIKES = 3
PATIENCE_S = 15.0
"""No call begins later: with the tool's own 30 s a job ends before its lease does."""

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What became of a batch: events that the node has, that it will never have, and the rest."""

    taken: list[Event] = field(default_factory=list)
    aside: list[Event] = field(default_factory=list)
    left: list[Sequence[Event]] = field(default_factory=list)


class Forwarder:
    """Hands batches over, and remembers across batches which events were refused."""

    def __init__(self, lab: Lab, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lab = lab
        self._monotonic = monotonic
        self._suspects = Suspects()

    async def hand_over(self, events: Sequence[Event]) -> Outcome:
        """What became of the events; NodeFailed when there was no progress at all.

        A batch that is refused is halved, all halves before any quarter, until what is refused
        stands alone. A node that is away ends that; so does its breaker when every call fails.
        """
        outcome, failure = Outcome(), None
        waiting = deque([events] if events else [])
        end = self._monotonic() + PATIENCE_S
        while waiting and self._monotonic() < end:
            part = waiting.popleft()
            try:
                await self._record(part)
                outcome.taken += part
            except NodeFailed as error:
                failure = error
                if error.reason in AWAY:
                    waiting.appendleft(part)
                    break
                waiting += self._refused(part, outcome)
        outcome.left += waiting
        if failure is not None and not (outcome.taken or outcome.aside):
            raise failure
        return outcome

    async def _record(self, part: Sequence[Event]) -> None:
        recorded = await self._lab.record_events([_told(event) for event in part])
        self._suspects.clear(part, well=recorded.recorded > 0)

    def _refused(self, part: Sequence[Event], outcome: Outcome) -> list[Sequence[Event]]:
        """The halves to try instead; a single event is left for later, or set aside."""
        if len(part) > 1:
            middle = len(part) // 2
            return [part[:middle], part[middle:]]
        if self._suspects.strike(part[0]):
            _set_aside(part[0])
            outcome.aside += part
        else:
            outcome.left.append(part)
        return []


class Suspects:
    """Events that were refused alone, and how often while the node took others.

    A refusal counts only when the node has stored some other event since the one before it: a
    node that stores nothing at all is not well, and no event is to blame.
    """

    def __init__(self) -> None:
        self._stored = 0
        self._strikes: dict[int, tuple[int, int]] = {}

    def clear(self, events: Sequence[Event], *, well: bool) -> None:
        """The node took these; `well` when it stored some of them."""
        self._stored += well
        for event in events if self._strikes else ():
            self._strikes.pop(event.id, None)

    def strike(self, event: Event) -> bool:
        """Whether this refusal of the event is the third that counts."""
        strikes, seen = self._strikes.pop(event.id, (0, -1))
        if seen < self._stored:
            strikes += 1
        if strikes >= MOST_STRIKES:
            return True
        self._strikes[event.id] = (strikes, self._stored)
        return False


def _set_aside(event: Event) -> None:
    log.error("event_set_aside", source_node=event.source_node, source_id=event.source_id)


def _told(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"id"})
