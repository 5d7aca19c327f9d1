"""Faults on purpose: what a caller sees of each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from starlette.responses import PlainTextResponse

from learning_events import student_id
from node_servers import node
from reference_nodes.serving.faults import WRONG_STUDENT, Faults, FaultSpecError, described
from reference_nodes.serving.front import Front

pytestmark = pytest.mark.requirement("nodes-faults")

STUDENT = str(student_id("a"))
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "get_recent_activities",
        "arguments": {"student_id": STUDENT},
        "_meta": META,
    },
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "get_recent_activities",
}


@asynccontextmanager
async def faulty(folder: Path, *specs: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        node("lab-node", folder, *specs) as url,
        httpx2.AsyncClient(base_url=url, timeout=20) as http,
    ):
        yield http


async def call(http: httpx2.AsyncClient) -> httpx2.Response:
    return await http.post("/mcp", json=CALL, headers=HEADERS)


async def switch(http: httpx2.AsyncClient, *specs: str) -> httpx2.Response:
    return await http.post("/fault", json=list(specs))


async def test_without_faults_the_call_is_answered(tmp_path: Path) -> None:
    """The baseline: the same request that the faults spoil."""
    async with faulty(tmp_path) as http:
        reply = await call(http)
    assert reply.status_code == 200
    assert reply.json()["result"]["structuredContent"]["student_id"] == STUDENT


async def test_a_hanging_node_never_answers_but_is_alive(tmp_path: Path) -> None:
    """The caller's own deadline is all that ends the call; /livez still answers."""
    async with faulty(tmp_path, "hang") as http:
        with anyio.move_on_after(0.2) as deadline:
            await call(http)
        assert deadline.cancelled_caught
        assert (await http.get("/livez")).text == "ok"


async def test_latency_comes_before_the_answer(tmp_path: Path) -> None:
    """Slow, and right in the end."""
    async with faulty(tmp_path, "latency=0.3") as http:
        with anyio.move_on_after(0.05) as deadline:
            await call(http)
        assert deadline.cancelled_caught
        assert (await call(http)).json()["result"]["isError"] is False


async def test_a_share_of_calls_fails_evenly(tmp_path: Path) -> None:
    """error=0.3 spoils exactly three calls of ten, the same ones in every run."""
    async with faulty(tmp_path, "error=0.3") as http:
        statuses = [(await call(http)).status_code for _ in range(10)]
    assert statuses.count(500) == 3
    assert statuses.count(200) == 7


@pytest.mark.parametrize(("spec", "status"), [("refuse", 503), ("error", 500), ("error=1", 500)])
async def test_every_call_fails(tmp_path: Path, spec: str, status: int) -> None:
    """A node that is down behind its port."""
    async with faulty(tmp_path, spec) as http:
        assert [(await call(http)).status_code for _ in range(3)] == [status] * 3


async def test_garbage_is_no_json(tmp_path: Path) -> None:
    """It claims to be, with status 200."""
    async with faulty(tmp_path, "garbage") as http:
        reply = await call(http)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match="decode"):
        reply.json()


async def test_a_dripping_body_comes_in_pieces(tmp_path: Path) -> None:
    """Headers at once, then 64 bytes at a time; a caller's phase timeouts never fire."""
    async with (
        faulty(tmp_path, "drip=0.01") as http,
        http.stream("POST", "/mcp", json=CALL, headers=HEADERS) as reply,
    ):
        pieces = [piece async for piece in reply.aiter_raw()]
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= 64 * 3
    assert httpx2.Response(200, content=b"".join(pieces)).json()["id"] == 1


async def test_a_huge_answer_is_still_json(tmp_path: Path) -> None:
    """Only a cap on the size protects the caller."""
    async with faulty(tmp_path, "huge=1000000") as http:
        reply = await call(http)
    assert len(reply.content) > 1_000_000
    assert reply.json()["id"] == 1


async def test_a_lying_node_answers_about_somebody_else(tmp_path: Path) -> None:
    """In the structured answer and in the text: only checking the id finds it out."""
    async with faulty(tmp_path, "wrong_student") as http:
        reply = await call(http)
    result = reply.json()["result"]
    assert result["structuredContent"]["student_id"] == WRONG_STUDENT.decode()
    assert WRONG_STUDENT.decode() in result["content"][0]["text"]
    assert STUDENT not in reply.text


async def test_several_faults_add_up(tmp_path: Path) -> None:
    """Lying and large at the same time."""
    async with faulty(tmp_path, "wrong_student", "huge=500") as http:
        reply = await call(http)
    assert reply.text.endswith(" " * 500)
    assert STUDENT not in reply.text


async def test_faults_are_switched_while_the_node_runs(tmp_path: Path) -> None:
    """A list replaces what was wrong before, an empty one heals."""
    async with faulty(tmp_path) as http:
        assert (await switch(http, "refuse")).json() == ["refuse"]
        assert (await call(http)).status_code == 503
        assert (await switch(http, "error")).status_code == 200
        assert (await call(http)).status_code == 500
        await switch(http)
        assert (await call(http)).status_code == 200


@pytest.mark.parametrize("body", [b'["explode"]', b'["error=2"]', b'{"hang": true}', b"[1]", b"x"])
async def test_a_bad_switch_changes_nothing(tmp_path: Path, body: bytes) -> None:
    """It is refused with a reason."""
    async with faulty(tmp_path, "refuse") as http:
        reply = await http.post(
            "/fault", content=body, headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == 400
        assert reply.json()["error"]
        assert (await call(http)).status_code == 503


async def test_a_page_in_a_browser_cannot_switch_faults(tmp_path: Path) -> None:
    """A cross-site form cannot send JSON's content type without being asked first."""
    async with faulty(tmp_path) as http:
        reply = await http.post(
            "/fault", content=b'["hang"]', headers={"Content-Type": "text/plain"}
        )
        assert reply.status_code == 403
        assert (await call(http)).status_code == 200


async def test_only_this_machine_switches_faults() -> None:
    """A caller from elsewhere is refused, whatever it sends."""
    front = Front(PlainTextResponse("the node"))
    transport = httpx2.ASGITransport(app=front, client=("192.0.2.7", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://node") as http:
        assert (await switch(http, "hang")).status_code == 403


@pytest.mark.parametrize(
    "spec", ["explode", "", "latency=soon", "latency=-1", "error=1.5", "huge=1.5", "latency=inf"]
)
def test_a_bad_spec_is_named(spec: str) -> None:
    """The message says what was wrong with which fault."""
    name = spec.partition("=")[0]
    with pytest.raises(FaultSpecError, match=name or "no fault"):
        Faults.of([spec])


def test_the_help_names_every_fault() -> None:
    """What can be asked for is what is described."""
    assert all(name in described() for name in Faults.model_fields)
