"""One policy for every call to a node: deadline, bulkhead, breaker, attempt, classification."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from student_hub.nodes.client import Unreachable
from student_hub.nodes.dialects import Nonsense, Refused
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.lane import Ask, CircuitOpen, Lane, Signals
from student_hub.nodes.registry import Address, NodeName, NodeTool
from student_hub.nodes.states import NodeState
from student_hub.nodes.window import Monotonic
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import inside

A = TypeVar("A", bound=BaseModel)
Observe = Callable[[str, str, str, float], None]
"""Told of every call: node, tool, status (`ok` or a reason), seconds."""
UNOBSERVED = Signals(on_retry=lambda _node: None, on_circuit=lambda _node, _open: None)
FAILURES = (CircuitOpen, TimeoutError, Unreachable, Refused, Nonsense, ValidationError)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """A usable answer and the time at which the hub got it."""

    value: A
    at: datetime


class Gateway:
    """Calls any tool of any node; raises nothing but NodeFailed."""

    def __init__(
        self,
        addresses: Mapping[NodeName, Address],
        observe: Observe,
        *,
        signals: Signals = UNOBSERVED,
        attempt_s: float = 0.5,
        clock: Clock = utc_now,
        monotonic: Monotonic = time.monotonic,
        random: Random | None = None,
    ) -> None:
        chance = random or Random()  # noqa: S311 (spreads load)
        self._lanes = {
            node: Lane(node, address, signals, monotonic=monotonic, random=chance)
            for node, address in addresses.items()
        }
        self._observe = observe
        self._attempt_s = attempt_s
        self._clock = clock
        self._monotonic = monotonic

    async def call(
        self,
        tool: NodeTool[A],
        arguments: Mapping[str, Any],
        *,
        deadline: float | None = None,
        absent: A | None = None,
    ) -> Answered[A]:
        """The node's answer in the tool's shape, within the tool's time and before `deadline`.

        `deadline` is a moment of the monotonic clock; `absent` is the answer when the node says
        that there is no such thing. Raises NodeFailed with the reason: timeout,
        circuit_open (not asked), invalid (not the tool's shape, or about another student) or
        error (no connection, an HTTP or protocol error, the node's own refusal).
        """
        if inside.get():
            raise RuntimeError("a node must not be called inside a transaction")
        started = self._monotonic()
        status = "cancelled"
        try:
            value = await self._lanes[tool.node].call(self._ask(tool, arguments, started, deadline))
            status = "ok"
            return Answered(value, self._clock())
        except FAILURES as error:
            if absent is not None and isinstance(error, Refused) and error.absent:
                status = "ok"
                return Answered(absent, self._clock())
            failed = _failed(tool, error)
            status = failed.reason.value
            raise failed from error
        finally:
            self._observe(tool.node.value, tool.name, status, self._monotonic() - started)

    async def if_offered(
        self, tool: NodeTool[A], arguments: Mapping[str, Any], *, deadline: float | None = None
    ) -> A | None:
        """The answer of `call`; None when the node is well and says that it has no such tool."""
        try:
            return (await self.call(tool, arguments, deadline=deadline)).value
        except NodeFailed as failed:
            if failed.reason is not Reason.ERROR or await self.offers(tool, failed):
                raise
        return None

    async def offers(self, tool: NodeTool[Any], failed: NodeFailed) -> bool:
        """Whether the node has the tool whose call failed so, as far as it can be found out."""
        if isinstance(failed.__cause__, Refused):
            if failed.__cause__.unoffered:
                return False
        elif not isinstance(failed.__cause__, Unreachable):
            return True
        lane = self._lanes[tool.node]
        try:
            return not await lane.client.lacks(lane.name_of(tool))
        except (Unreachable, Nonsense, TimeoutError):
            return True

    async def ping(self, node: NodeName) -> None:
        """Nothing when the node answers at all within 2 s; an error otherwise."""
        await self._lanes[node].client.ping()

    def states(self) -> list[NodeState]:
        """How the way to each node is, as this process sees it."""
        now, moment = self._clock(), self._monotonic()
        return [_state(node, lane, now, moment) for node, lane in self._lanes.items()]

    async def close(self) -> None:
        await asyncio.gather(*(lane.client.close() for lane in self._lanes.values()))

    def _ask(
        self, tool: NodeTool[A], arguments: Mapping[str, Any], now: float, deadline: float | None
    ) -> Ask[A]:
        limit = tool.limit_s or self._attempt_s
        end = now + limit if deadline is None else min(now + limit, deadline)
        return Ask(tool, arguments, end, limit)


def _state(node: NodeName, lane: Lane, now: datetime, moment: float) -> NodeState:
    reading = lane.read()
    return NodeState(
        node=node,
        number=node.number,
        circuit=reading.circuit,
        since=now - timedelta(seconds=moment - reading.since),
        opened=reading.opened,
        calls=reading.calls,
        bad=reading.bad,
        retries=lane.retries,
        in_flight=lane.in_flight,
        waiting=lane.waiting,
    )


def _failed(tool: NodeTool[Any], error: Exception) -> NodeFailed:
    reason = _reason(error)
    if reason is not Reason.CIRCUIT_OPEN:  # the opening is logged, not each call after it
        detail = type(error).__name__ if isinstance(error, ValidationError) else str(error)
        log.warning(
            "node_failed", node=tool.node.value, tool=tool.name, reason=reason.value, detail=detail
        )
    return NodeFailed(node=tool.node.value, tool=tool.name, reason=reason)


def _reason(error: Exception) -> Reason:
    match error:
        case CircuitOpen():
            return Reason.CIRCUIT_OPEN
        case TimeoutError():
            return Reason.TIMEOUT
        case Nonsense() | ValidationError():
            return Reason.INVALID
        case _:
            return Reason.ERROR
