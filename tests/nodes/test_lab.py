"""Node 4 where it offers less than it might: it is well, and cannot do what is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from doorway import running as serving
from fakes.nodes import FakeNode, running, status
from student_hub.nodes.errors import NodeFailed
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.registry import Address, NodeName, Renamed
from whole_hub import BareNode

pytestmark = pytest.mark.requirement("void-in-nodes")
STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
DIALECTS = pytest.mark.parametrize("dialect", ["modern", "handshake", "bare"])


@asynccontextmanager
async def lab_of(node: FakeNode, renamed: dict[str, Renamed] | None = None) -> AsyncIterator[Lab]:
    async with running(node):
        gateway = Gateway({NodeName.LAB: Address(node.url, renamed or {})}, lambda *_: None)
        try:
            yield Lab(gateway)
        finally:
            await gateway.close()


@DIALECTS
async def test_a_node_that_offers_the_tools_is_told(dialect: str) -> None:
    """In every dialect that a node may speak."""
    answers = {"void_event": {"voided": True}, "forget_student": {"forgotten": 7}}
    async with lab_of(FakeNode(answers, dialect=dialect)) as lab:
        assert await lab.void_event(4, "x")
        assert await lab.forget_student(STUDENT) == 7


@pytest.mark.parametrize("dialect", ["modern", "handshake"])
async def test_a_node_without_the_tools_is_no_failure(dialect: str) -> None:
    """It lists what it has: nothing is tried for ever."""
    node = FakeNode({"get_recent_activities": []}, dialect=dialect)
    async with lab_of(node) as lab:
        assert not await lab.void_event(4, "x")
        assert await lab.forget_student(STUDENT) is None


async def test_a_bare_node_says_itself_that_there_is_no_such_method() -> None:
    """JSON-RPC has a code for that, and it says nothing against the node."""
    with serving(BareNode({})) as node:
        gateway = Gateway({NodeName.LAB: Address(node.url)}, lambda *_: None)
        try:
            assert await Lab(gateway).forget_student(STUDENT) is None
            assert gateway.states()[0].bad == 0
        finally:
            await gateway.close()


async def test_a_node_that_fails_is_not_taken_for_one_that_lacks_the_tools() -> None:
    """The erasure must reach it later; a node that is ill says nothing of what it offers."""
    node = FakeNode({"forget_student": {"forgotten": 7}})
    async with lab_of(node) as lab:
        assert await lab.forget_student(STUDENT) == 7
        node.fault = status(503)
        with pytest.raises(NodeFailed):
            await lab.forget_student(STUDENT)


async def test_a_refusal_by_a_node_that_has_the_tool_is_a_failure() -> None:
    """It lists the tool, so it must do what it offers."""
    node = FakeNode({"forget_student": RuntimeError("not today")})
    async with lab_of(node) as lab:
        with pytest.raises(NodeFailed):
            await lab.forget_student(STUDENT)


async def test_the_tools_may_go_by_other_names() -> None:
    """As every tool of a node may."""
    renamed = {"forget_student": Renamed("purge", {"student_id": "learner"})}
    node = FakeNode({"purge": {"forgotten": 1}})
    async with lab_of(node, renamed) as lab:
        assert await lab.forget_student(STUDENT) == 1
    assert node.calls == [("purge", {"learner": str(STUDENT)})]
