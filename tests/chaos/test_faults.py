"""R3: every fault on every node, every pair and all of them, before a hub that is asked over HTTP.

A profile comes within two seconds, names who failed and why, and is whole again by itself.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from chaos.figures import Figures
from chaos.hub import Hub, in_pairs, serving
from chaos.load import ASKED, LONGEST_S, Answer, ask
from fakes.faultproxy import WELL, FaultProxy
from fakes.nodes import FakeNode, running
from nodes.test_faults import TROUBLES, Trouble, about_another
from profiles.stage import ANSWERS
from student_hub.nodes.registry import NodeName

SEED = 11
NODES = [NodeName(name) for name in ASKED]
STRICKEN = [NODES, *([node] for node in NODES), *in_pairs(NODES)]
HEALED_S = 60.0


@dataclass
class Theatre:
    """A hub, the nodes behind it, and a line to each of them that can go wrong."""

    hub: Hub
    nodes: dict[NodeName, FakeNode]
    lines: dict[NodeName, FaultProxy]
    times: list[float] = field(default_factory=list)
    count: int = 0

    async def befall(self, trouble: Trouble, stricken: Collection[NodeName]) -> None:
        for name, node in self.nodes.items():
            now = trouble if name in stricken else Trouble()
            await self.lines[name].be(now.line)
            node.fault = now.node
            node.answers = about_another(name) if now.about_another else dict(ANSWERS[name])

    async def ask(self, student_id: str) -> Answer:
        """A profile, well-formed and in time."""
        answer = await ask(self.hub.http, student_id)
        self.times.append(answer.seconds)
        assert answer.problem is None, answer.problem
        assert answer.seconds <= LONGEST_S
        return answer

    async def stranger(self) -> str:
        """A student nobody has asked for, at a school of their own."""
        self.count += 1
        (student_id,) = await self.hub.enrol(1, school=f"S{uuid.uuid4().hex}")
        return student_id

    async def healed(self) -> None:
        """Every source is fresh again; TimeoutError when that does not happen by itself."""
        async with asyncio.timeout(HEALED_S):
            while True:
                answer = await self.ask(await self.stranger())
                if {answer.state(node) for node in ASKED} == {"fresh"}:
                    return
                await asyncio.sleep(0.2)


class Schools(FakeNode):
    """Node 6, who knows every school but gives them all one name."""

    def answer(self, name: str, arguments: dict[str, Any]) -> Any:
        told = super().answer(name, arguments)
        mistaken = told["school_id"] != ANSWERS[NodeName.SCHOOL][name]["school_id"]
        return told if mistaken else {**told, "school_id": arguments["school_id"]}


@pytest.fixture
async def theatre(database_url: str, valkey_url: str) -> AsyncIterator[Theatre]:
    async with AsyncExitStack() as stack:
        nodes, lines = {}, {}
        for name in NODES:
            kind = Schools if name is NodeName.SCHOOL else FakeNode
            nodes[name] = await stack.enter_async_context(running(kind(dict(ANSWERS[name]))))
            lines[name] = FaultProxy(nodes[name].url, seed=SEED + name.number)
            await lines[name].be(WELL)
            stack.push_async_callback(lines[name].close)
        urls = {name: line.url for name, line in lines.items()}
        hub = await stack.enter_async_context(serving(database_url, valkey_url, urls))
        yield Theatre(hub, nodes, lines)


@pytest.mark.requirement("node-faults")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TROUBLES)
async def test_every_fault_is_labelled_in_time_and_heals(
    theatre: Theatre, figures: Figures, name: str
) -> None:
    """For who was never seen, what is missing is null; for who was, the last answer is stale."""
    for stricken in STRICKEN:
        await theatre.healed()
        known = await theatre.stranger()
        await theatre.ask(known)
        await theatre.befall(TROUBLES[name], stricken)
        check(await theatre.ask(await theatre.stranger()), stricken, name, "unavailable")
        await theatre.hub.touch(known, theatre.count)
        asked_anew = [node for node in stricken if node is not NodeName.SCHOOL]
        check(await theatre.ask(known), asked_anew, name, "stale")
        await theatre.befall(Trouble(), [])
    await theatre.healed()
    figures.times(f"r3_{name.replace(' ', '_').lower()}", theatre.times, seed=SEED)


def check(answer: Answer, stricken: Collection[NodeName], name: str, state: str) -> None:
    """Who was in trouble says so and why; who was not is not in doubt."""
    reasons = TROUBLES[name].reasons | {"circuit_open"}
    for node in NODES:
        said = answer.state(node.value), answer.reason(node.value)
        if node not in stricken:
            assert said[0] in {"fresh", "cached"}, (node, said)
        elif not (name == "flap" and said[0] == "fresh"):
            assert said[0] == state, (node, said)
            assert said[1] in reasons, (node, said)
