"""The gateway against real servers in every dialect, and against every way of failing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from starlette.requests import Request

from fakes.nodes import FakeNode, Fault, NotThere, body, drip, flood, hang, running, status
from nodes.answers import rpc
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.registry import Address, NodeName, Renamed
from student_hub.nodes.school import SchoolInfo
from student_hub.platform.db.database import Database

pytestmark = pytest.mark.requirement("nodes-configurable")

STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
OTHER = UUID("650e8400-e29b-41d4-a716-446655440000")
KNOWN = {"student_id": str(STUDENT), "concepts": [{"name": "이차방정식", "mastery": 0.85}]}


def ignore(_node: str, _tool: str, _status: str, _seconds: float) -> None:
    return None


@asynccontextmanager
async def logic_engine(
    node: FakeNode, *, attempt_s: float = 5.0, renamed: dict[str, Renamed] | None = None
) -> AsyncIterator[LogicEngine]:
    async with running(node):
        address = Address(node.url, renamed or {})
        gateway = Gateway({NodeName.LOGIC_ENGINE: address}, ignore, attempt_s=attempt_s)
        try:
            yield LogicEngine(gateway)
        finally:
            await gateway.close()


@pytest.mark.requirement("node-dialects")
@pytest.mark.parametrize("dialect", ["modern", "handshake", "bare"])
async def test_a_node_is_understood_in_every_dialect_and_found_out_once(dialect: str) -> None:
    """MCP of both eras and bare JSON-RPC give the same answer; later calls cost one request."""
    node = FakeNode({"get_knowledge_state": KNOWN}, dialect=dialect)
    async with logic_engine(node) as engine:
        first = await engine.knowledge_state(STUDENT)
        assert first.value.concepts[0].mastery == 0.85
        before = node.posts
        assert (await engine.knowledge_state(STUDENT)).value == first.value
        assert node.posts == before + 1


@pytest.mark.requirement("node-dialects")
@pytest.mark.parametrize("dialect", ["modern", "handshake", "bare"])
async def test_a_bare_list_is_put_into_its_field(dialect: str) -> None:
    """A node may answer with the list itself instead of an object around it."""
    node = FakeNode({"get_knowledge_state": KNOWN["concepts"]}, dialect=dialect)
    async with logic_engine(node) as engine:
        assert (await engine.knowledge_state(STUDENT)).value.concepts[0].name == "이차방정식"


@pytest.mark.requirement("node-dialects")
async def test_a_node_that_changes_its_dialect_is_found_out_again() -> None:
    """A node may be replaced by one of another revision; the call that notices succeeds."""
    node = FakeNode({"get_knowledge_state": KNOWN}, dialect="handshake")
    async with logic_engine(node) as engine:
        await engine.knowledge_state(STUDENT)
        forgotten = status(404)
        answers = iter([forgotten])

        async def forget_once(scope: Any, receive: Any, send: Any) -> None:
            node.fault = None
            await next(answers)(scope, receive, send)

        node.fault = forget_once
        assert (await engine.knowledge_state(STUDENT)).value.concepts


@pytest.mark.requirement("node-dialects")
async def test_a_bare_node_that_wraps_its_answer_as_mcp_does_is_understood() -> None:
    """Stateless MCP servers answer bare calls too: taken for bare in a bad moment, they heal."""
    block = {"type": "text", "text": orjson.dumps(KNOWN).decode()}
    node = FakeNode({"get_knowledge_state": {"content": [block]}}, dialect="bare")
    async with logic_engine(node) as engine:
        assert (await engine.knowledge_state(STUDENT)).value.concepts[0].mastery == 0.85


FAILURES: dict[str, tuple[Fault, Reason]] = {
    "hangs": (hang, Reason.TIMEOUT),
    "drips": (drip, Reason.TIMEOUT),
    "http 500": (status(500), Reason.ERROR),
    "redirects": (status(302), Reason.ERROR),
    "html": (body(b"<html>"), Reason.INVALID),
    "nothing": (body(b""), Reason.INVALID),
    "too deep": (body(b"[" * 5_000), Reason.INVALID),
    "empty stream": (body(b"data: \n\n", "text/event-stream"), Reason.INVALID),
    "50 MB": (flood, Reason.INVALID),
    "text": (rpc(result="text"), Reason.INVALID),
    "mastery over 1": (
        rpc(result={"concepts": [{"name": "이차방정식", "mastery": 1.5}]}),
        Reason.INVALID,
    ),
    "wrong shape": (rpc(result={"concepts": "many"}), Reason.INVALID),
    "another student": (rpc(result={"student_id": str(OTHER), "concepts": []}), Reason.INVALID),
}


@pytest.mark.requirement("node-failure-reasons")
@pytest.mark.parametrize(("fault", "reason"), FAILURES.values(), ids=FAILURES)
async def test_every_way_of_failing_has_its_reason(fault: Fault, reason: Reason) -> None:
    """Whatever a node does instead of answering, the caller gets one error with a reason code."""
    node = FakeNode({"get_knowledge_state": KNOWN}, dialect="bare")
    async with logic_engine(node, attempt_s=5.0 if reason is Reason.INVALID else 0.3) as engine:
        node.fault = fault
        with pytest.raises(NodeFailed) as failed:
            await engine.knowledge_state(STUDENT)
    assert failed.value.reason is reason
    assert failed.value.facts == {
        "node": "logic-engine",
        "tool": "get_knowledge_state",
        "reason": reason.value,
    }


MISTAKEN: dict[str, Callable[[int], object]] = {
    "another": lambda number: number + 1,
    "text": str,
    "fraction": float,
    "none": lambda _number: None,
}


@pytest.mark.requirement("node-failure-reasons")
@pytest.mark.parametrize("mistake", MISTAKEN.values(), ids=MISTAKEN)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_answer_to_another_request_is_no_answer(
    mistake: Callable[[int], object], stream: bool
) -> None:
    """JSON-RPC tells answers apart by their id: with a wrong one nobody knows whose it is."""

    async def mistaken(scope: Any, receive: Any, send: Any) -> None:
        asked = orjson.loads(await Request(scope, receive).body())
        told = orjson.dumps({"jsonrpc": "2.0", "id": mistake(asked["id"]), "result": KNOWN})
        answer = body(b"data: %b\n\n" % told, "text/event-stream") if stream else body(told)
        await answer(scope, receive, send)

    node = FakeNode({"get_knowledge_state": KNOWN}, dialect="bare")
    async with logic_engine(node) as engine:
        assert (await engine.knowledge_state(STUDENT)).value.concepts
        node.fault = mistaken
        with pytest.raises(NodeFailed, match="invalid"):
            await engine.knowledge_state(STUDENT)


@pytest.mark.requirement("node-failure-reasons")
@pytest.mark.parametrize(("number", "reason"), [(None, "error"), (0, "invalid")])
async def test_an_error_may_be_without_an_id_but_not_under_another(
    number: int | None, reason: str
) -> None:
    """A server that could not read the id says null, as JSON-RPC has it."""
    node = FakeNode({"get_knowledge_state": KNOWN}, dialect="bare")
    async with logic_engine(node) as engine:
        assert (await engine.knowledge_state(STUDENT)).value.concepts
        node.fault = rpc(id=number, error={"code": -32600, "message": "no"})
        with pytest.raises(NodeFailed, match=reason):
            await engine.knowledge_state(STUDENT)


@pytest.mark.requirement("node-failure-reasons")
@pytest.mark.parametrize("dialect", ["modern", "handshake", "bare"])
async def test_a_refusal_by_the_tool_is_no_answer(dialect: str) -> None:
    """An MCP result with isError and a JSON-RPC error both count as failures."""
    node = FakeNode({"get_knowledge_state": RuntimeError("no")}, dialect=dialect)
    async with logic_engine(node) as engine:
        with pytest.raises(NodeFailed, match="error"):
            await engine.knowledge_state(STUDENT)


@pytest.mark.requirement("node-failure-reasons")
async def test_a_node_that_is_not_there_fails_with_error() -> None:
    """A refused connection is an error like any other, and the node is found once it is up."""
    node = FakeNode({"get_knowledge_state": KNOWN})
    async with logic_engine(node) as engine:
        node.fault = status(503)
        with pytest.raises(NodeFailed, match="error"):
            await engine.knowledge_state(STUDENT)
        node.fault = None
        assert (await engine.knowledge_state(STUDENT)).value.concepts


@pytest.mark.requirement("nodes-configurable")
async def test_a_renamed_tool_and_argument_is_called_by_its_new_name() -> None:
    """The platform's teams rename tools; a setting follows them."""
    node = FakeNode({"mastery_of": KNOWN})
    renamed = {"get_knowledge_state": Renamed("mastery_of", {"student_id": "learner"})}
    async with logic_engine(node, renamed=renamed) as engine:
        await engine.knowledge_state(STUDENT)
    assert node.calls == [("mastery_of", {"learner": str(STUDENT)})]


@pytest.mark.requirement("node-text-bounded")
async def test_text_of_a_node_is_freed_of_characters_that_hide() -> None:
    """Zero-width and direction-changing characters do not travel from a node into a profile."""
    hidden = {"concepts": [{"name": "이차\u200b방\u202e정식\x07", "mastery": 0.5}]}
    async with logic_engine(FakeNode({"get_knowledge_state": hidden})) as engine:
        assert (await engine.knowledge_state(STUDENT)).value.concepts[0].name == "이차방정식"


@pytest.mark.requirement("node-never-in-transaction")
async def test_no_node_is_called_inside_a_transaction(database: Database) -> None:
    """A slow node must not hold one of the few database connections."""
    async with logic_engine(FakeNode({"get_knowledge_state": KNOWN})) as engine:
        async with database.transaction():
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await engine.knowledge_state(STUDENT)
        assert (await engine.knowledge_state(STUDENT)).value.concepts


async def test_the_lab_is_asked_for_the_days_of_the_profile() -> None:
    """The window goes along as an argument, and the list comes back typed."""
    day = {"date": "2026-01-08", "type": "study", "duration": 3600, "problems_solved": 15}
    async with running(FakeNode({"get_recent_activities": [day]})) as node:
        gateway = Gateway({NodeName.LAB: Address(node.url)}, ignore, attempt_s=5.0)
        answered = await Lab(gateway).recent_activities(STUDENT, 7)
        await gateway.close()
    assert answered.value.activities[0].duration == 3600
    assert node.calls[0][1] == {"student_id": str(STUDENT), "days": 7}


@pytest.mark.requirement("node-failure-reasons")
@pytest.mark.parametrize("dialect", ["modern", "bare"])
async def test_a_school_that_node_6_does_not_know_is_an_answer(dialect: str) -> None:
    """That there is no such school is good to know, and no failure of the node."""
    node = FakeNode({"get_school": NotThere()}, dialect=dialect)
    async with running(node):
        gateway = Gateway({NodeName.SCHOOL: Address(node.url)}, ignore, attempt_s=5.0)
        answered = await SchoolInfo(gateway).school("SCH999")
        await gateway.close()
    assert (answered.value.school_id, answered.value.name) == ("SCH999", None)
