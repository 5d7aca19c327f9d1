"""When a node is not asked any more, and how it is found to be well again.

A pure state machine: time and chance come from outside, nothing in it waits.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import NewType

from student_hub.nodes.window import Monotonic, Window

WINDOW_S = 10.0
FEWEST_CALLS = 20
FIRST_OPEN_S = 2.0
LONGEST_OPEN_S = 30.0
SHORTEST_SHARE = 0.8

Ticket = NewType("Ticket", int)
"""The leave to make one call, to be handed back with its outcome."""


class Circuit(StrEnum):
    """`closed`: calls pass. `open`: none does. `probing`: a single one is under way."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Reading:
    """A breaker at one moment; `since` is on its own clock, `calls` and `bad` are in its window."""

    circuit: Circuit
    since: float
    opened: int
    calls: int
    bad: int


class Breaker:
    """Opens when half of at least 20 calls in 10 s were bad; closes after one good probe.

    It stays open for 2 s, and twice as long after every bad probe, up to 30 s; of that a random
    80 to 100 %, so that many processes do not probe in step. An outcome counts only in the state
    in which its call was admitted: what a call from before an opening comes to says nothing new.
    """

    def __init__(self, monotonic: Monotonic, random: Random) -> None:
        self._monotonic = monotonic
        self._random = random
        self._window = Window(monotonic, WINDOW_S)
        self._circuit = Circuit.CLOSED
        self._since = monotonic()
        self._epoch = 1
        self._opened = 0
        self._next_open_s = FIRST_OPEN_S
        self._open_until = self._since

    @property
    def circuit(self) -> Circuit:
        return self._circuit

    def refuses(self) -> bool:
        """Whether `admit` would give no leave now; changes nothing."""
        if self._circuit is Circuit.OPEN:
            return self._monotonic() < self._open_until
        return self._circuit is Circuit.PROBING

    def admit(self) -> Ticket | None:
        """Leave for one call, or None. Each leave must be handed back, with whatever outcome."""
        if self.refuses():
            return None
        if self._circuit is Circuit.OPEN:
            self._become(Circuit.PROBING)
        return Ticket(self._epoch)

    def good(self, ticket: Ticket) -> None:
        """The node answered as it should, in good time."""
        if ticket != self._epoch:
            return
        if self._circuit is Circuit.PROBING:
            self._close()
        else:
            self._count(bad=False)

    def bad(self, ticket: Ticket) -> None:
        """The node failed, or took too long."""
        if ticket != self._epoch:
            return
        if self._circuit is Circuit.PROBING:
            self._open()
        else:
            self._count(bad=True)

    def withdraw(self, ticket: Ticket) -> None:
        """The call came to nothing that says how the node is; a probe's place is free again."""
        if ticket == self._epoch and self._circuit is Circuit.PROBING:
            self._become(Circuit.OPEN)

    def read(self) -> Reading:
        """The state now."""
        return Reading(self._circuit, self._since, self._opened, *self._window.counts())

    def _count(self, *, bad: bool) -> None:
        self._window.add(bad)
        calls, bad_calls = self._window.counts()
        if calls >= FEWEST_CALLS and 2 * bad_calls >= calls:
            self._open()

    def _open(self) -> None:
        share = self._random.uniform(SHORTEST_SHARE, 1.0)
        self._open_until = self._monotonic() + self._next_open_s * share
        self._next_open_s = min(2 * self._next_open_s, LONGEST_OPEN_S)
        self._opened += 1
        self._become(Circuit.OPEN)

    def _close(self) -> None:
        self._window.clear()
        self._next_open_s = FIRST_OPEN_S
        self._become(Circuit.CLOSED)

    def _become(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._since = self._monotonic()
        self._epoch += 1
