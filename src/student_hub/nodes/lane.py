"""The way to one node: a bulkhead, a breaker, and at most one more try."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from student_hub.nodes.breaker import Breaker, Circuit, Reading, Ticket
from student_hub.nodes.budget import RetryBudget
from student_hub.nodes.client import NodeClient, Unreachable
from student_hub.nodes.dialects import Nonsense, Refused
from student_hub.nodes.reading import read
from student_hub.nodes.registry import Address, NodeName, NodeTool
from student_hub.nodes.window import Monotonic

A = TypeVar("A", bound=BaseModel)

PLACES = 16
SLOW_SHARE = 0.8
TELLING_SHARE = 0.5
QUICK_S = 0.25
LEFT_FOR_RETRY_S = 0.25
LONGEST_PAUSE_S = 0.05

log = structlog.get_logger()


class CircuitOpen(Exception):
    """The node was not asked, as it has been failing."""


class Verdict(Enum):
    """What an attempt says of the node."""

    GOOD = auto()
    BAD = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Signals:
    """Who is told of repeats, by node, and of circuits: by node, and whether it is not closed."""

    on_retry: Callable[[str], None]
    on_circuit: Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Ask(Generic[A]):
    """One call: it ends at `end` (monotonic); its tool has `limit_s` seconds at the most."""

    tool: NodeTool[A]
    arguments: Mapping[str, Any]
    end: float
    limit_s: float


class Lane:
    """All calls to one node; its trouble holds up no other node's calls."""

    def __init__(
        self,
        node: NodeName,
        address: Address,
        signals: Signals,
        *,
        monotonic: Monotonic,
        random: Random,
    ) -> None:
        self.client = NodeClient(address.url)
        self.retries = 0
        self.in_flight = 0
        self.waiting = 0
        self._node = node
        self._address = address
        self._signals = signals
        self._monotonic = monotonic
        self._random = random
        self._places = asyncio.Semaphore(PLACES)
        self._breaker = Breaker(monotonic, random)
        self._budget = RetryBudget(monotonic)
        self._told = Circuit.CLOSED
        signals.on_circuit(node.value, False)

    async def call(self, ask: Ask[A]) -> A:
        """The node's answer.

        Raises CircuitOpen at once, TimeoutError at the end of the time, Unreachable and Refused
        for a failure or refusal of the node, Nonsense and ValidationError for a useless answer.
        """
        if self._breaker.refuses():
            raise CircuitOpen
        await self._take_place(ask)
        self.in_flight += 1
        try:
            return await self._tries(ask)
        finally:
            self.in_flight -= 1
            self._places.release()

    def name_of(self, tool: NodeTool[Any]) -> str:
        """What the node's team calls the tool."""
        return self._address.wording(tool.name, {})[0]

    def read(self) -> Reading:
        """How the breaker stands."""
        return self._breaker.read()

    async def _take_place(self, ask: Ask[Any]) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        # Who would begin so late that a timeout tells nothing of the node does not begin: else a
        # node that hangs under load is never found out, and every place is taken in vain.
        patience = self._left(ask) - TELLING_SHARE * ask.limit_s
        self.waiting += 1
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        finally:
            self.waiting -= 1

    async def _tries(self, ask: Ask[A]) -> A:
        if self._left(ask) <= 0:
            raise TimeoutError
        ticket = self._admit()
        if ticket is None:
            raise CircuitOpen
        self._budget.count_call()
        started = self._monotonic()
        try:
            return await self._attempt(ask, ticket)
        except Unreachable as failure:
            if not (failure.passing and self._may_retry(ask, self._monotonic() - started)):
                raise
            await asyncio.sleep(self._random.uniform(0, LONGEST_PAUSE_S))
            again = self._admit()
            if again is None:
                raise
        self.retries += 1
        self._signals.on_retry(self._node.value)
        return await self._attempt(ask, again)

    def _may_retry(self, ask: Ask[Any], took_s: float) -> bool:
        return (
            ask.tool.repeatable
            and took_s <= QUICK_S
            and self._left(ask) >= LEFT_FOR_RETRY_S
            and not self._breaker.refuses()
            and self._budget.take()
        )

    async def _attempt(self, ask: Ask[A], ticket: Ticket) -> A:
        name, wording = self._address.wording(ask.tool.name, ask.arguments)
        started, given = self._monotonic(), self._left(ask)
        verdict = Verdict.NOTHING
        try:
            end = asyncio.get_running_loop().time() + given
            raw = await self.client.call(name, wording, end)
            answer = read(ask.tool, raw, ask.arguments)
            verdict = Verdict.GOOD
        except TimeoutError:
            # Cut short because it began late: that is our own queue's doing.
            verdict = Verdict.BAD if given >= TELLING_SHARE * ask.limit_s else Verdict.NOTHING
            raise
        except (Refused, Unreachable) as failure:
            verdict = Verdict.GOOD if failure.ours else Verdict.BAD
            raise
        except (Nonsense, ValidationError):
            verdict = Verdict.BAD
            raise
        finally:
            if self._monotonic() - started >= SLOW_SHARE * ask.limit_s:
                verdict = Verdict.BAD if verdict is Verdict.GOOD else verdict
            self._settle(ticket, verdict)
        return answer

    def _left(self, ask: Ask[Any]) -> float:
        return ask.end - self._monotonic()

    def _admit(self) -> Ticket | None:
        ticket = self._breaker.admit()
        self._tell()
        return ticket

    def _settle(self, ticket: Ticket, verdict: Verdict) -> None:
        match verdict:
            case Verdict.GOOD:
                self._breaker.good(ticket)
            case Verdict.BAD:
                self._breaker.bad(ticket)
            case Verdict.NOTHING:
                self._breaker.withdraw(ticket)
        self._tell()

    def _tell(self) -> None:
        circuit = self._breaker.circuit
        if circuit is self._told:
            return
        self._told = circuit
        self._signals.on_circuit(self._node.value, circuit is not Circuit.CLOSED)
        log.warning("node_circuit", node=self._node.value, circuit=circuit.value)
