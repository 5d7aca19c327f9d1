"""Circuits: what opens them, what does not, and how they close, against real servers."""

import asyncio
from typing import Any

import pytest

from fakes.faultproxy import Faults
from fakes.nodes import Fault, body, hang, status
from nodes.answers import ANOTHER_STUDENT, blamed, rpc, tool_error
from nodes.lanes import KNOWN, behind_a_proxy, end, eventually, one_node
from student_hub.nodes.breaker import Circuit

BAD: dict[str, Fault] = {
    "500": status(500),
    "404": status(404),
    "JSON-RPC error": rpc(error={"code": -32000, "message": "no"}),
    "isError": tool_error("internal"),
    "isError without words": rpc(result={"content": [], "isError": True}),
    "html": body(b"<html>"),
    "wrong shape": rpc(result={"concepts": 5}),
    "another student": rpc(result=ANOTHER_STUDENT),
    "too large": body(b" " * 300_000),
}
NOT_BAD: dict[str, Fault] = {
    "bad arguments": rpc(error={"code": -32602, "message": "no"}),
    "bad arguments, HTTP 400": blamed,
    "not found": tool_error("not_found"),
    "invalid": tool_error("invalid_arguments"),
}


@pytest.mark.requirement("breaker")
@pytest.mark.parametrize("fault", BAD.values(), ids=BAD)
async def test_whatever_is_no_answer_opens_the_circuit(fault: Fault) -> None:
    """Twenty calls at most, then calls are refused without a request."""
    async with one_node() as (node, way):
        node.fault = fault
        await way.until_open()
        asked = node.posts
        assert [await way.ask() for _ in range(100)] == ["circuit_open"] * 100
        assert node.posts == asked
        assert b'node_circuit_open{node="logic-engine"} 1.0' in way.metrics.text()


@pytest.mark.requirement("breaker")
@pytest.mark.parametrize("fault", [Faults(refuse=True), Faults(reset=True), Faults(cut_after=9)])
async def test_a_broken_line_opens_the_circuit(fault: Faults) -> None:
    """No connection, a reset, and an answer that is cut off."""
    async with behind_a_proxy() as (proxy, way):
        await proxy.be(fault)
        assert await way.until_open() == 10, "each call makes two attempts"


@pytest.mark.requirement("breaker")
async def test_a_slow_node_opens_the_circuit_though_it_answers() -> None:
    """80 % of the time given is too slow, 79 % is not; the answers are used all the same."""
    async with one_node(attempt_s=0.5) as (node, way):

        async def slowly(scope: Any, receive: Any, send: Any) -> None:
            way.ticks.move(took)
            await rpc(result=KNOWN)(scope, receive, send)

        node.fault, took = slowly, 0.39
        assert [await way.ask() for _ in range(30)] == ["ok"] * 30
        assert way.state().bad == 0
        way.ticks.move(10)
        took = 0.41
        assert [await way.ask() for _ in range(20)] == ["ok"] * 20
        assert way.state().circuit is Circuit.OPEN


@pytest.mark.requirement("breaker")
async def test_timeouts_open_the_circuit() -> None:
    """A node that hangs is soon not waited for any more."""
    async with one_node(attempt_s=0.1) as (node, way):
        node.fault = hang
        assert await way.until_open() == 20
        assert await way.ask() == "circuit_open"


@pytest.mark.requirement("breaker")
@pytest.mark.parametrize("fault", NOT_BAD.values(), ids=NOT_BAD)
async def test_a_refusal_of_our_own_arguments_is_not_held_against_the_node(fault: Fault) -> None:
    """An unknown school, asked for thirty times, takes nobody's school away."""
    async with one_node() as (node, way):
        node.fault = fault
        assert [await way.ask() for _ in range(30)] == ["error"] * 30
        assert (way.state().circuit, way.state().bad) == (Circuit.CLOSED, 0)


@pytest.mark.requirement("breaker")
async def test_callers_who_go_away_are_not_held_against_the_node() -> None:
    """Thirty cancelled calls, and thirty whose own deadline was short, count as nothing."""
    async with one_node() as (node, way):
        node.fault = hang
        for _ in range(2):
            calls = [asyncio.create_task(way.ask()) for _ in range(15)]
            await eventually(lambda: way.state().in_flight == 15)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        hurried = [way.ask(deadline=way.ticks.now + 0.05) for _ in range(30)]
        assert set(await asyncio.gather(*hurried)) == {"timeout"}
        assert way.statuses.count("cancelled") == 30
        assert (way.state().calls, way.state().in_flight) == (0, 0)


@pytest.mark.requirement("breaker")
async def test_calls_are_refused_at_once_though_all_places_are_taken() -> None:
    """Fifteen calls from before the opening and the probe hang: who comes now need not wait."""
    async with one_node(attempt_s=60) as (node, way):
        node.fault = status(500)
        for _ in range(19):
            await way.ask(repeatable=False)
        node.fault, node.posts = hang, 0
        calls = [asyncio.create_task(way.ask()) for _ in range(15)]
        await eventually(lambda: node.posts == 15)
        node.fault = status(500)
        await way.ask(repeatable=False)
        way.ticks.move(2)
        node.fault = hang
        calls.append(asyncio.create_task(way.ask()))
        await eventually(lambda: way.state().in_flight == 16)
        assert way.state().circuit is Circuit.PROBING
        async with asyncio.timeout(10):
            assert await way.ask() == "circuit_open"
        await end(calls)


@pytest.mark.requirement("breaker-one-probe")
async def test_fifty_callers_send_one_probe() -> None:
    """49 are refused at once; the probe's caller leaves, another probe goes out, and it heals."""
    async with one_node() as (node, way):
        node.fault = status(500)
        await way.until_open()
        node.fault, node.posts = hang, 0
        way.ticks.move(2)
        calls = [asyncio.create_task(way.ask()) for _ in range(50)]
        await eventually(lambda: sum(call.done() for call in calls) == 49 and node.posts == 1)
        assert {call.result() for call in calls if call.done()} == {"circuit_open"}
        assert way.state().circuit is Circuit.PROBING
        await end(calls)
        node.fault = None
        assert sorted(await asyncio.gather(*(way.ask() for _ in range(50)))) == [
            *["circuit_open"] * 49,
            "ok",
        ]
        assert (node.posts, way.state().circuit) == (2, Circuit.CLOSED)
        assert b'node_circuit_open{node="logic-engine"} 0.0' in way.metrics.text()


@pytest.mark.requirement("breaker")
async def test_a_dead_node_gets_few_calls_and_is_found_once_it_is_back() -> None:
    """60 s at 100 requests a second: far fewer than 1.2 calls a request; healed within 30 s."""
    async with one_node() as (node, way):
        node.fault = status(503)
        for _ in range(6_000):
            assert await way.ask() in {"error", "circuit_open"}
            way.ticks.move(0.01)
        assert node.posts <= 40, "20 attempts to open, then probes"
        node.fault = None
        for _ in range(31):
            await way.ask()
            way.ticks.move(1)
        assert await way.ask() == "ok"
        assert way.state().circuit is Circuit.CLOSED
