"""The one way to a tool."""

import pytest
from structlog.testing import capture_logs

from doorway import ADMINISTRATOR_KEY, KNOWN, TOOLS, furnished
from student_hub.platform.errors import InvalidInput
from student_hub.platform.mcp.dispatcher import Dispatcher
from student_hub.platform.mcp.errors import UnknownTool
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import SYSTEM

pytestmark = pytest.mark.requirement("metrics", "mcp-tool-contract")


@pytest.fixture
def parts() -> Parts:
    return furnished()


@pytest.fixture
def dispatcher(parts: Parts) -> Dispatcher:
    return Dispatcher(TOOLS, parts, parts.get(Metrics))


async def test_every_call_is_counted_and_noted_whatever_became_of_it(
    dispatcher: Dispatcher, parts: Parts
) -> None:
    """One series for each tool and outcome; an invented name makes no series of its own."""
    with capture_logs() as lines:
        await dispatcher.call("echo_student", {"student_id": str(KNOWN)}, SYSTEM)
        with pytest.raises(InvalidInput):
            await dispatcher.call("echo_student", {}, SYSTEM)
        with pytest.raises(RuntimeError):
            await dispatcher.call("break_down", {}, SYSTEM)
        for name in ("invented", "invented too"):
            with pytest.raises(UnknownTool):
                await dispatcher.call(name, {}, SYSTEM)
    assert [(line["tool"], line["status"]) for line in lines] == [
        ("echo_student", "ok"),
        ("echo_student", "invalid"),
        ("break_down", "error"),
        ("unknown", "invalid"),
        ("unknown", "invalid"),
    ]
    text = parts.get(Metrics).text().decode()
    assert 'mcp_calls_total{node="hub",status="ok",tool="echo_student"} 1.0' in text
    assert 'mcp_calls_total{node="hub",status="invalid",tool="unknown"} 2.0' in text
    assert "invented" not in text
    assert ADMINISTRATOR_KEY not in str(lines)


async def test_an_encoded_answer_goes_out_as_it_is(dispatcher: Dispatcher) -> None:
    """Bytes that a tool made are not parsed and written anew on their way."""
    answer = await dispatcher.call("echo_encoded", {"student_id": str(KNOWN)}, SYSTEM)
    assert answer.startswith(b" {")


def test_two_tools_of_one_name_are_refused(parts: Parts) -> None:
    """A room cannot silently take another's tool away."""
    with pytest.raises(ValueError, match="one name"):
        Dispatcher([*TOOLS, TOOLS[0]], parts, parts.get(Metrics))
