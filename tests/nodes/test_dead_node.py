"""A node that is dead for some seconds, on real sockets and the real clock, at 100 calls a second.

The long form, a minute behind a whole hub, is `tests/chaos/test_dead_node.py`.
"""

import asyncio
import time

import pytest

from fakes.faultproxy import WELL, Faults
from nodes.lanes import behind_a_proxy
from student_hub.nodes.breaker import Circuit

PER_SECOND = 100
DEAD_S = 5
HEALED_S = 30
WAYS = {"reset": Faults(reset=True), "hang": Faults(black_hole=True)}


@pytest.mark.requirement("breaker", "retry-budget")
@pytest.mark.parametrize("way", WAYS)
async def test_a_dead_node_is_hardly_asked_and_found_again(way: str) -> None:
    """Attempts are no more than 1.2 times the calls, by far; it heals by itself."""
    async with behind_a_proxy(attempt_s=0.5, monotonic=time.monotonic) as (proxy, lanes):
        assert await lanes.ask() == "ok"
        await proxy.be(WAYS[way])
        before, start, calls = proxy.requests, time.monotonic(), []
        for number in range(PER_SECOND * DEAD_S):
            await asyncio.sleep(start + number / PER_SECOND - time.monotonic())
            calls.append(asyncio.create_task(lanes.ask()))
        answers = await asyncio.gather(*calls)
        assert "ok" not in answers
        assert answers.count("circuit_open") > len(calls) / 2
        assert proxy.requests - before <= 1.2 * len(calls)
        await proxy.be(WELL)
        async with asyncio.timeout(HEALED_S):
            while await lanes.ask() != "ok":  # noqa: ASYNC110 (what is waited for is asked for)
                await asyncio.sleep(0.05)
        assert lanes.state().circuit is Circuit.CLOSED
