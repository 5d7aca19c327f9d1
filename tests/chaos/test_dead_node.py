"""R4: one node dead for a minute while 100 profiles a second are gathered anew."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from chaos.figures import Figures, percentile
from chaos.hub import Hub, light_nodes, serving
from chaos.load import Answer, ask, at_pace, problems
from fakes.faultproxy import WELL, FaultProxy, Faults
from student_hub.nodes.registry import NodeName

SEED = 13
PER_SECOND = int(os.environ.get("CHAOS_PER_SECOND", "100"))
BEFORE_S, DEAD_S = 20, int(os.environ.get("CHAOS_SECONDS", "60"))
HEALED_S = 60
DEAD = NodeName.Q_DNA
WAYS = {"reset": Faults(reset=True), "hang": Faults(black_hole=True)}


@dataclass
class Theatre:
    """A hub whose second node can die, and students of whom each is asked for once."""

    hub: Hub
    line: FaultProxy
    students: list[str]

    async def gather(self, seconds: float) -> list[Answer]:
        """Profiles for which all nodes are asked, at the set pace."""
        return await at_pace(
            lambda _number: ask(self.hub.http, self.students.pop()), PER_SECOND, seconds
        )


@pytest.fixture
async def theatre(database_url: str, valkey_url: str) -> AsyncIterator[Theatre]:
    async with AsyncExitStack() as stack:
        nodes = stack.enter_context(light_nodes(5))
        line = FaultProxy(nodes[DEAD], seed=SEED)
        await line.be(WELL)
        stack.push_async_callback(line.close)
        hub = await stack.enter_async_context(
            serving(database_url, valkey_url, {**nodes, DEAD: line.url})
        )
        needed = PER_SECOND * (BEFORE_S + DEAD_S) + 1_000
        yield Theatre(hub, line, await hub.enrol(needed))


@pytest.mark.requirement("breaker", "retry-budget")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
async def test_a_dead_node_costs_its_section_and_hardly_a_call(
    theatre: Theatre, figures: Figures, way: str
) -> None:
    """Attempts at it are at most 1.2 times the profiles; every profile is served, labelled."""
    await theatre.gather(3)
    well = await theatre.gather(BEFORE_S)
    theatre.line.requests = 0
    await theatre.line.be(WAYS[way])
    dead = await theatre.gather(DEAD_S)
    attempts = theatre.line.requests
    await theatre.line.be(WELL)
    note(figures, way, well, dead, attempts)
    assert problems(well) == {}
    assert problems(dead) == {}
    assert {each.state(DEAD) for each in dead} <= {"unavailable", "stale", "fresh"}
    assert attempts <= 1.2 * len(dead)
    async with asyncio.timeout(HEALED_S):
        while (await theatre.gather(1 / PER_SECOND))[0].state(DEAD) != "fresh":  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def note(figures: Figures, way: str, well: list[Answer], dead: list[Answer], attempts: int) -> None:
    before, during = ([each.seconds for each in part] for part in (well, dead))
    figures.times(f"r4_{way}_before", before, seed=SEED)
    figures.times(f"r4_{way}_dead", during, seed=SEED)
    rise = percentile(during, 95) / percentile(before, 95) - 1
    figures.note(f"r4_{way}_p95_rise", rise, "ratio", n=len(dead), seed=SEED)
    calls = attempts / len(dead)
    figures.note(f"r4_{way}_calls_per_request", calls, "ratio", n=len(dead), seed=SEED)
