"""Repeats, deadlines and places: the gateway's rules, each by itself, against real servers."""

import asyncio
from typing import Any

import pytest

from fakes.faultproxy import WELL, Faults
from fakes.nodes import FakeNode, Fault, body, hang, running, status
from nodes.answers import ANOTHER_STUDENT, rpc, tool_error
from nodes.lanes import KNOWN, TOOL, behind_a_proxy, end, eventually, first, lanes, one_node
from student_hub.nodes.registry import NodeName

UNREPEATED: dict[str, Fault] = {
    "redirect": status(302),
    "unauthorised": status(401),
    "JSON-RPC error": rpc(error={"code": -32000, "message": "no"}),
    "isError": tool_error("internal"),
    "html": body(b"<html>"),
    "another student": rpc(result=ANOTHER_STUDENT),
}


@pytest.mark.requirement("retries")
@pytest.mark.parametrize("code", [500, 502, 503])
async def test_a_quick_server_error_is_asked_once_more(code: int) -> None:
    """The second answer counts; the caller sees nothing of the first but a counter."""
    async with one_node() as (node, way):
        node.fault = first(1, status(code), node)
        assert await way.ask() == "ok"
        assert (node.posts, way.state().retries) == (2, 1)
        node.fault = first(2, status(code), node)
        assert await way.ask() == "error"
        assert (node.posts, way.state().retries) == (4, 2)
        assert b'node_retries_total{node="logic-engine"} 2.0' in way.metrics.text()


@pytest.mark.requirement("retries")
async def test_a_reset_connection_is_asked_once_more() -> None:
    """A line that resets every second request costs no answer."""
    async with behind_a_proxy("bare") as (proxy, way):
        await way.ask()
        proxy.requests = 0
        await proxy.be(Faults(flap=True))
        assert [await way.ask() for _ in range(4)] == ["ok"] * 4
        assert (proxy.requests, way.state().retries) == (8, 4)


@pytest.mark.requirement("retries")
@pytest.mark.parametrize("fault", UNREPEATED.values(), ids=UNREPEATED)
async def test_an_answer_of_any_other_kind_is_not_asked_for_again(fault: Fault) -> None:
    """Whatever the node meant to say, it would say it again."""
    async with one_node() as (node, way):
        node.fault = fault
        assert await way.ask() in {"error", "invalid"}
        assert (node.posts, way.state().retries) == (1, 0)


@pytest.mark.requirement("retries")
async def test_what_must_not_happen_twice_is_not_asked_twice() -> None:
    """A tool that is not repeatable gets one attempt."""
    async with one_node() as (node, way):
        node.fault = first(1, status(503), node)
        assert await way.ask(repeatable=False) == "error"
        assert node.posts == 1


@pytest.mark.requirement("retries")
@pytest.mark.parametrize(("took", "left"), [(0.26, 4.0), (0.0, 0.24)])
async def test_a_late_failure_is_not_asked_again(took: float, left: float) -> None:
    """Neither after an attempt of more than 250 ms, nor with less than 250 ms to go."""
    async with one_node() as (node, way):

        async def late(scope: Any, receive: Any, send: Any) -> None:
            way.ticks.move(took)
            node.fault = None
            await status(503)(scope, receive, send)

        node.fault = late
        assert await way.ask(deadline=way.ticks.now + took + left) == "error"
        assert node.posts == 1


@pytest.mark.requirement("retries")
async def test_a_call_that_timed_out_is_not_asked_again() -> None:
    """Its time is up."""
    async with one_node(attempt_s=0.3) as (node, way):
        node.fault = hang
        assert await way.ask() == "timeout"
        assert node.posts == 1


@pytest.mark.requirement("retry-budget")
async def test_repeats_stay_within_the_budget() -> None:
    """A node that fails every first attempt is soon asked no more than 1.2 times and ten."""
    async with one_node() as (node, way):
        for _ in range(3):
            await way.ask()
        answers = []
        for _ in range(16):
            node.fault = first(1, status(503), node)
            answers.append(await way.ask())
        assert answers.index("error") == answers.count("ok") == 13
        assert way.state().retries == 13


@pytest.mark.requirement("node-deadline")
async def test_no_call_outlives_its_callers_deadline() -> None:
    """The tool could take an hour; a passed deadline makes no request at all."""
    async with asyncio.timeout(30), one_node(attempt_s=3_600) as (node, way):
        node.fault = hang
        assert await way.ask(deadline=way.ticks.now + 0.05) == "timeout"
        assert node.posts == 1
        assert await way.ask(deadline=way.ticks.now) == "timeout"
        assert node.posts == 1


@pytest.mark.requirement("bulkhead")
async def test_a_hanging_node_holds_up_no_other() -> None:
    """Sixteen calls hang at it and more wait; another node answers meanwhile."""
    sick, well = (FakeNode({TOOL: KNOWN}, dialect="bare") for _ in range(2))
    async with running(sick), running(well):
        addresses = {NodeName.LOGIC_ENGINE: sick.url, NodeName.Q_DNA: well.url}
        async with lanes(addresses, attempt_s=60) as way:
            await way.ask()
            sick.fault, sick.posts = hang, 0
            calls = [asyncio.create_task(way.ask()) for _ in range(40)]
            await eventually(lambda: sick.posts == 16)
            assert (way.state().in_flight, way.state().waiting) == (16, 24)
            assert {await way.ask(NodeName.Q_DNA) for _ in range(20)} == {"ok"}
            assert not any(call.done() for call in calls)
            assert sick.posts == 16
            await end(calls)
            assert (way.state().in_flight, way.state().waiting) == (0, 0)


@pytest.mark.requirement("bulkhead", "node-deadline")
async def test_waiting_for_a_place_counts_against_the_deadline() -> None:
    """Who waits behind a full bulkhead gives up in time, without a request and without blame."""
    async with one_node(attempt_s=60) as (node, way):
        node.fault = hang
        calls = [asyncio.create_task(way.ask()) for _ in range(16)]
        await eventually(lambda: node.posts == 16)
        assert await way.ask(deadline=way.ticks.now + 0.05) == "timeout"
        assert (node.posts, way.state().calls) == (16, 0)
        await end(calls)


@pytest.mark.requirement("node-failure-reasons")
async def test_a_corrupted_line_gives_answers_or_reasons_and_nothing_else() -> None:
    """Headers, lengths and bodies with wrong bytes, 150 seeded calls: never another exception."""
    async with behind_a_proxy(attempt_s=0.3) as (proxy, way):
        await way.ask()
        await proxy.be(Faults(corrupt=0.004))
        for _ in range(150):
            await way.ask()
            way.ticks.move(31)
        assert len(set(way.statuses)) >= 3
        await proxy.be(WELL)
        way.ticks.move(31)
        await way.ask()
        assert await way.ask() == "ok"
