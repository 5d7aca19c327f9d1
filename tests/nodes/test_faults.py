"""Profiles while nodes and lines go wrong in every way: labelled, in time, healed afterwards."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from fakes.faultproxy import WELL, FaultProxy, Faults
from fakes.nodes import Fault, body, flood, status
from nodes.ticks import Ticks
from profiles import stage as profile_stage
from profiles.stage import ANSWERS, Stage, set_up
from student_hub.nodes.breaker import Circuit
from student_hub.nodes.errors import NodeFailed
from student_hub.nodes.gateway import Gateway, Observe
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.registry import Address, NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.profiles.schemas import State, UnifiedProfile
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("node-faults")

ATTEMPT_S = 0.5
EXPIRED_S = 400
OTHER = "650e8400-e29b-41d4-a716-446655440000"
ASKED = [node for node in NodeName if node is not NodeName.GEN]
SECTIONS = {
    NodeName.LOGIC_ENGINE: "knowledge_state",
    NodeName.Q_DNA: "mastery_levels",
    NodeName.LAB: "recent_activities",
    NodeName.REPORT: "latest_reports",
    NodeName.SCHOOL: "school",
}
STRICKEN: list[Sequence[NodeName]] = [
    ASKED,
    *([node] for node in ASKED),
    [NodeName.LOGIC_ENGINE, NodeName.SCHOOL],
    [NodeName.LAB, NodeName.REPORT],
]


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, on the line or at the node, and the reasons that it may have."""

    line: Faults = WELL
    node: Fault | None = None
    about_another: bool = False
    reasons: frozenset[str] = frozenset({"error"})


TIMEOUT, INVALID = frozenset({"timeout"}), frozenset({"invalid"})
TROUBLES = {
    "refuse": Trouble(Faults(refuse=True)),
    "hang": Trouble(Faults(black_hole=True), reasons=TIMEOUT),
    "reset": Trouble(Faults(reset=True)),
    "drip": Trouble(Faults(drip_s=0.02), reasons=TIMEOUT),
    "5xx": Trouble(node=status(503)),
    "bad JSON": Trouble(node=body(b'{"jsonrpc": "2.0", "id"'), reasons=INVALID),
    "wrong student": Trouble(about_another=True, reasons=INVALID),
    "huge": Trouble(node=flood, reasons=INVALID),
    "flap": Trouble(Faults(flap=True)),
    "slow": Trouble(Faults(latency_s=0.7, jitter_s=0.1), reasons=TIMEOUT),
}


@dataclass
class Theatre:
    """The profile's stage with a line to each node that can go wrong, and a clock for breakers."""

    stage: Stage
    lines: dict[NodeName, FaultProxy]
    ticks: Ticks
    statuses: list[str]

    async def befall(self, trouble: Trouble, nodes: Collection[NodeName]) -> None:
        """From now on these nodes are in trouble and no others."""
        for name, node in self.stage.nodes.items():
            now = trouble if name in nodes else Trouble()
            await self.lines[name].be(now.line)
            node.fault = now.node
            node.answers = about_another(name) if now.about_another else dict(ANSWERS[name])

    async def fresh_profile(self) -> UnifiedProfile:
        """A profile for which every node has to be asked, as nothing that is kept is fresh."""
        await self.stage.touch(self.stage.student.id)
        self.stage.clock.move(EXPIRED_S)
        async with asyncio.timeout(20):
            return await self.stage.profile()

    async def asked_often(self) -> None:
        """Forty calls to node 1 at once."""
        student = self.stage.student.id
        engine = LogicEngine(self.stage.gateway)
        calls = (engine.knowledge_state(student) for _ in range(40))
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert not isinstance(outcome, BaseException) or isinstance(outcome, NodeFailed)

    def circuit(self) -> Circuit:
        return self.stage.gateway.states()[0].circuit


@pytest.fixture
async def theatre(
    database: Database, students: Students, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Theatre]:
    lines: dict[NodeName, FaultProxy] = {}
    ticks, statuses = Ticks(), list[str]()

    def gateway(direct: Mapping[NodeName, Address], _observe: Observe, **parts: Any) -> Gateway:
        """The stage's own gateway, with a line before each node and a clock that stands."""
        lines.update({node: FaultProxy(at.url, seed=node.number) for node, at in direct.items()})
        addresses = {node: Address(line.url) for node, line in lines.items()}
        parts["attempt_s"] = ATTEMPT_S
        return Gateway(
            addresses, lambda _n, _t, said, _s: statuses.append(said), monotonic=ticks, **parts
        )

    monkeypatch.setattr(profile_stage, "Gateway", gateway)
    async with AsyncExitStack() as stack:
        cache = Cache(valkey_url, uuid.uuid4().bytes * 2)
        stack.push_async_callback(cache.close)
        stage = await stack.enter_async_context(set_up(database, students, cache))
        for line in lines.values():
            await line.be(WELL)
            stack.push_async_callback(line.close)
        yield Theatre(stage, lines, ticks, statuses)


@pytest.mark.parametrize("name", TROUBLES)
async def test_whatever_happens_a_profile_comes_labelled_and_heals(
    theatre: Theatre, name: str
) -> None:
    """All nodes, each of them, some pairs: those in trouble are named with a reason, others fresh.

    No call is cut by the profile's deadline: each ends by its own, 500 ms after it began at the
    most, well before the profile's 2 s.
    """
    for stricken in STRICKEN:
        await theatre.befall(TROUBLES[name], stricken)
        check(await theatre.fresh_profile(), stricken, name)
        await theatre.befall(Trouble(), [])
        await healed(theatre)
        theatre.ticks.move(11)
    assert "cancelled" not in theatre.statuses


@pytest.mark.requirement("breaker")
@pytest.mark.parametrize("name", [name for name in TROUBLES if name != "flap"])
async def test_trouble_that_lasts_opens_the_circuit_until_it_is_over(
    theatre: Theatre, name: str
) -> None:
    """The profile says `circuit_open` without asking; one probe after the trouble closes it."""
    await healed(theatre)
    await theatre.befall(TROUBLES[name], [NodeName.LOGIC_ENGINE])
    for _ in range(5):
        await theatre.asked_often()
    assert theatre.circuit() is Circuit.OPEN
    profile = await theatre.fresh_profile()
    source = profile.sources["logic-engine"]
    assert (source.state, source.reason) == (State.STALE, "circuit_open")
    await theatre.befall(Trouble(), [])
    theatre.ticks.move(30)
    await healed(theatre)
    assert theatre.circuit() is Circuit.CLOSED


def check(profile: UnifiedProfile, stricken: Collection[NodeName], name: str) -> None:
    """Every source tells the truth about its section."""
    for node in ASKED:
        source = profile.sources[node.value]
        if node not in stricken:
            assert (source.state, source.reason) == (State.FRESH, None)
        elif not (name == "flap" and source.state is State.FRESH):
            assert source.state in {State.STALE, State.UNAVAILABLE}
            assert source.reason in TROUBLES[name].reasons
        section = getattr(profile, SECTIONS[node])
        assert (section is None) == (source.state is State.UNAVAILABLE)


async def healed(theatre: Theatre) -> None:
    """Every source is fresh again, within a few profiles and by itself."""
    states: dict[str, State] = {}
    for _ in range(10):
        profile = await theatre.fresh_profile()
        states = {node.value: profile.sources[node.value].state for node in ASKED}
        if set(states.values()) == {State.FRESH}:
            return
    raise AssertionError(states)


def about_another(node: NodeName) -> dict[str, Any]:
    """What the node answers, about another student or school than was asked for."""
    wrong = {"school_id": "SCH999"} if node is NodeName.SCHOOL else {"student_id": OTHER}
    return {
        tool: [{**entry, **wrong} for entry in answer]
        if isinstance(answer, list)
        else {**answer, **wrong}
        for tool, answer in ANSWERS[node].items()
    }
