"""Nodes, the gateway before them and a clock that stands: what the resilience tests play on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from fakes.faultproxy import FaultProxy, proxied
from fakes.nodes import FakeNode, running
from nodes.ticks import Ticks
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lane import Signals
from student_hub.nodes.registry import Address, NodeName, NodeTool
from student_hub.nodes.schemas import KnowledgeState
from student_hub.nodes.states import NodeState
from student_hub.nodes.window import Monotonic
from student_hub.platform.observability.metrics import Metrics

STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
TOOL = "get_knowledge_state"
KNOWN = {"student_id": str(STUDENT), "concepts": [{"name": "이차방정식", "mastery": 0.85}]}
LONGEST_WAIT_S = 20


@dataclass
class Lanes:
    """A gateway, and what it told of."""

    gateway: Gateway
    ticks: Ticks
    metrics: Metrics
    statuses: list[str] = field(default_factory=list)

    async def ask(
        self,
        node: NodeName = NodeName.LOGIC_ENGINE,
        *,
        repeatable: bool = True,
        deadline: float | None = None,
    ) -> str:
        """`ok`, or the reason for which there was no answer."""
        tool = NodeTool(node, TOOL, KnowledgeState, repeatable=repeatable)
        try:
            await self.gateway.call(tool, {"student_id": str(STUDENT)}, deadline=deadline)
        except NodeFailed as error:
            return error.reason.value
        return "ok"

    def state(self, node: NodeName = NodeName.LOGIC_ENGINE) -> NodeState:
        return next(state for state in self.gateway.states() if state.node is node)

    async def until_open(self, most: int = 20) -> int:
        """Asks until the circuit opens; how many calls that took. TimeoutError past `most`."""
        for number in range(1, most + 1):
            assert await self.ask() != Reason.CIRCUIT_OPEN
            if self.state().opened:
                return number
        raise TimeoutError


@asynccontextmanager
async def lanes(
    addresses: Mapping[NodeName, str],
    *,
    attempt_s: float = 5.0,
    monotonic: Monotonic | None = None,
) -> AsyncIterator[Lanes]:
    """A gateway to these URLs on a clock that stands; `attempt_s` passes on the real one."""
    stood, metrics, statuses = Ticks(), Metrics(), list[str]()
    gateway = Gateway(
        {node: Address(url) for node, url in addresses.items()},
        lambda _node, _tool, status, _seconds: statuses.append(status),
        signals=Signals(metrics.observe_node_retry, metrics.observe_circuit),
        attempt_s=attempt_s,
        monotonic=monotonic or stood,
        random=Random(7),  # noqa: S311 (seeded)
    )
    try:
        yield Lanes(gateway, stood, metrics, statuses)
    finally:
        await gateway.close()


@asynccontextmanager
async def one_node(*, attempt_s: float = 5.0) -> AsyncIterator[tuple[FakeNode, Lanes]]:
    """A bare node that answers well and whose dialect is known, and the gateway before it."""
    node = FakeNode({TOOL: KNOWN}, dialect="bare")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(node))
        way = await stack.enter_async_context(
            lanes({NodeName.LOGIC_ENGINE: node.url}, attempt_s=attempt_s)
        )
        assert await way.ask() == "ok"
        way.ticks.move(10)
        node.posts = 0
        yield node, way


@asynccontextmanager
async def behind_a_proxy(
    dialect: str = "modern", *, attempt_s: float = 5.0, monotonic: Monotonic | None = None
) -> AsyncIterator[tuple[FaultProxy, Lanes]]:
    """A node that answers well, a line that may go wrong, and the gateway before it."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(running(FakeNode({TOOL: KNOWN}, dialect=dialect)))
        proxy = await stack.enter_async_context(proxied(node.url, seed=3))
        way = await stack.enter_async_context(
            lanes({NodeName.LOGIC_ENGINE: proxy.url}, attempt_s=attempt_s, monotonic=monotonic)
        )
        yield proxy, way


async def eventually(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; AssertionError when it does not come true."""
    end = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.005)


def first(times: int, fault: Any, node: FakeNode) -> Any:
    """The fault for so many requests, then no fault."""
    left = iter(range(times - 1, -1, -1))

    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        if next(left) == 0:
            node.fault = None
        await fault(scope, receive, send)

    return faulty


async def end(calls: Iterable[asyncio.Task[str]]) -> None:
    """Cancels the calls, as a caller does who goes away."""
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
