"""Every kind of error over every door."""

from collections.abc import Iterator

import orjson
import pytest
from fastapi import APIRouter

from doorway import Echo, Echoed, Running, echo_app, furnished, running
from student_hub.platform.codes import code_of
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.http.problems import status_of
from student_hub.platform.mcp.tool import tool

pytestmark = pytest.mark.requirement("house-errors", "bad-input")

OLDER = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
ERRORS = {
    kind: type(f"Door{kind.name.title()}", (HubError,), {"kind": kind, "__doc__": "No: {why}."})
    for kind in Kind
}
router = APIRouter(prefix="/v1/fail")


@router.get("/{kind}")
async def fail_route(kind: Kind) -> None:
    raise ERRORS[kind](why="as asked")


@router.get("")
async def away_route() -> None:
    raise DatabaseAway


async def away(echo: Echo) -> Echoed:
    """Fails because the database is away."""
    del echo
    raise DatabaseAway


async def fail(echo: Echo, kind: Kind) -> Echoed:
    """Fails in the way that is asked for."""
    del echo
    raise ERRORS[kind](why="as asked")


@pytest.fixture(scope="module")
def hub() -> Iterator[Running]:
    tools = [tool(do, title="Fail", read_only=True, idempotent=True) for do in (fail, away)]
    with running(echo_app(furnished(), routers=[router], tools=tools)) as hub:
        yield hub


@pytest.mark.parametrize("kind", Kind)
async def test_an_error_is_the_same_one_at_every_door(hub: Running, kind: Kind) -> None:
    """One code, one message and one set of facts, in the form of REST, JSON-RPC and MCP."""
    params = {"name": "fail", "arguments": {"kind": kind.value}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with hub.client() as client:
        rest = await client.get(f"/v1/fail/{kind.value}")
        rpc = (await client.post("/rpc", json=call)).json()["error"]
        mcp = (await client.post("/mcp", json=call, headers=OLDER)).json()["result"]
    same = {"code": code_of(kind), "message": "No: as asked.", "data": {"why": "as asked"}}
    problem = rest.json()
    assert rest.status_code == status_of(kind)
    assert (problem["code"], problem["detail"], problem["data"]) == tuple(same.values())
    assert rpc == same
    assert mcp["isError"] is True
    assert orjson.loads(mcp["content"][0]["text"]) == same


async def test_only_a_node_is_told_of_with_the_code_of_nodes(hub: Running) -> None:
    """-32001 always comes with node, tool and reason; the hub's own database has another code."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "away"}}
    async with hub.client() as client:
        rest = await client.get("/v1/fail")
        rpc = (await client.post("/rpc", json=call)).json()["error"]
        mcp = (await client.post("/mcp", json=call, headers=OLDER)).json()["result"]
    assert (rest.status_code, rest.headers["retry-after"]) == (503, "2")
    assert (rest.json()["code"], rest.json()["data"]) == (-32603, {"retry_after": 2})
    assert (rpc["code"], rpc["data"]) == (-32603, {"retry_after": 2})
    assert orjson.loads(mcp["content"][0]["text"]) == rpc
    assert [kind for kind in Kind if code_of(kind) == -32001] == [Kind.UNAVAILABLE]
