"""The one way to a tool."""

import pytest
from starlette.types import Message

from doorway import KNOWN, TOOLS, everybody, furnished
from student_hub.platform.errors import InvalidInput
from student_hub.platform.http.exchange import Exchange
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.errors import UnknownTool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import SYSTEM, Caller

pytestmark = pytest.mark.requirement("metrics", "mcp-tool-contract")


@pytest.fixture
def parts() -> Parts:
    return furnished()


@pytest.fixture
def dispatcher(parts: Parts) -> Dispatcher:
    return Dispatcher(TOOLS, parts, parts.get(Metrics), everybody)


async def unsent(message: Message) -> None:
    raise AssertionError(message)


def call(name: str, **arguments: object) -> tuple[str, dict[str, object], Caller, Exchange]:
    return name, arguments, SYSTEM, Exchange("r-1", unsent, {})


async def test_every_call_is_counted_and_noted_whatever_became_of_it(
    dispatcher: Dispatcher, parts: Parts
) -> None:
    """One series for each tool and outcome; an invented name makes no series of its own."""
    good, bad, broken, *invented = calls = [
        call("echo_student", student_id=str(KNOWN)),
        call("echo_student"),
        call("break_down"),
        call("invented"),
        call("invented too"),
    ]
    await dispatcher.call(*good)
    with pytest.raises(InvalidInput):
        await dispatcher.call(*bad)
    with pytest.raises(RuntimeError):
        await dispatcher.call(*broken)
    for unknown in invented:
        with pytest.raises(UnknownTool):
            await dispatcher.call(*unknown)
    assert [exchange.note for *_, exchange in calls] == [
        {"event": "tool_call", "tool": "echo_student", "outcome": "ok"},
        {"event": "tool_call", "tool": "echo_student", "outcome": "invalid"},
        {"event": "tool_call", "tool": "break_down", "outcome": "error"},
        {"event": "tool_call", "tool": "unknown", "outcome": "invalid"},
        {"event": "tool_call", "tool": "unknown", "outcome": "invalid"},
    ]
    text = parts.get(Metrics).text().decode()
    assert 'mcp_calls_total{node="hub",status="ok",tool="echo_student"} 1.0' in text
    assert 'mcp_calls_total{node="hub",status="invalid",tool="unknown"} 2.0' in text
    assert "invented" not in text


async def test_an_encoded_answer_goes_out_as_it_is(dispatcher: Dispatcher) -> None:
    """Bytes that a tool made are not parsed and written anew on their way."""
    answer = await dispatcher.call(*call("echo_encoded", student_id=str(KNOWN)))
    assert answer.startswith(b" {")


def test_two_tools_of_one_name_are_refused(parts: Parts) -> None:
    """A room cannot silently take another's tool away."""
    with pytest.raises(ValueError, match="one name"):
        Dispatcher([*TOOLS, TOOLS[0]], parts, parts.get(Metrics), everybody)
