"""/admin/nodes: what operators see of the ways to the nodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from doorway import ADMINISTRATOR_KEY, echo_app, furnished, in_process
from fakes.nodes import status
from nodes.lanes import Lanes, one_node
from student_hub.nodes.routes import list_nodes, router
from student_hub.platform.errors import NotAllowed
from student_hub.platform.security.caller import Caller, Scope

pytestmark = pytest.mark.requirement("node-states")


@pytest.fixture
async def sick() -> AsyncIterator[Lanes]:
    """A node whose circuit has opened."""
    async with one_node() as (node, way):
        node.fault = status(500)
        await way.until_open()
        yield way


@asynccontextmanager
async def client(way: Lanes, key: str | None) -> AsyncIterator[httpx2.AsyncClient]:
    parts = furnished()
    parts.put(way.gateway)
    async with in_process(echo_app(parts, routers=[router]), key) as client:
        yield client


async def test_an_administrator_sees_each_nodes_circuit(sick: Lanes) -> None:
    """State, since when, how often it opened, and the calls behind it."""
    async with client(sick, ADMINISTRATOR_KEY) as administrator:
        answer = await administrator.get("/admin/nodes")
    assert answer.status_code == 200
    (shown,) = answer.json()
    since = shown.pop("since")
    assert since.endswith("Z")
    assert shown == {
        "node": "logic-engine",
        "number": 1,
        "circuit": "open",
        "opened": 1,
        "calls": 20,
        "bad": 20,
        "retries": 10,
        "in_flight": 0,
        "waiting": 0,
    }


async def test_it_is_shown_to_nobody_else(sick: Lanes) -> None:
    """No key, no answer; a key without the scope `admin` neither."""
    async with client(sick, None) as stranger:
        assert (await stranger.get("/admin/nodes")).status_code == 401
    reader = Caller("key:reader", frozenset({Scope.READ, Scope.WRITE}))
    with pytest.raises(NotAllowed):
        await list_nodes(sick.gateway, reader)
