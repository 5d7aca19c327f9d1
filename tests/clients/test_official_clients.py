"""The official MCP clients list the hub's tool and call it, in the new and an older revision."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from dirty_equals import IsPartialDict
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import ContentBlock, TextContent

from clients.conftest import Hub
from doorway import ADMINISTRATOR_KEY
from npm import Modules

pytestmark = [
    pytest.mark.requirement("mcp-official-clients", "mcp-both-eras"),
    pytest.mark.timeout(700),  # the first run installs the clients
]

SCRIPT = Path(__file__).parent / "list_and_call.cjs"
TOOL = "get_unified_profile"
TOOLS = [
    TOOL,
    "get_unified_profiles",
    "get_class_analytics",
    "create_learning_intervention",
    "schedule_periodic_task",
]
KEY = {"X-API-Key": ADMINISTRATOR_KEY}


@pytest.mark.parametrize(
    ("mode", "revision"), [("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")]
)
async def test_the_python_client(hub: Hub, mode: Any, revision: str) -> None:
    """It negotiates, lists, calls, and checks the answer against the output schema it was given."""
    async with create_mcp_http_client(headers=KEY) as http:
        transport = streamable_http_client(hub.mcp, http_client=http)
        async with Client(transport, mode=mode) as client:
            assert client.protocol_version == revision
            listed = await client.list_tools()
            good = await client.call_tool(TOOL, {"student_id": hub.student_id})
            bad = await client.call_tool(TOOL, {"student_id": hub.student_id, "days": 0})
    assert [tool.name for tool in listed.tools] == TOOLS
    assert good.structured_content == IsPartialDict(
        student_id=hub.student_id, basic_info=IsPartialDict(name="김철수")
    )
    assert bad.is_error
    assert error_in(bad.content[0]) == IsPartialDict(code=-32602)


def error_in(content: ContentBlock) -> object:
    """The error that a failed tool says as text."""
    return orjson.loads(content.text) if isinstance(content, TextContent) else None


@pytest.mark.parametrize(
    ("package", "negotiation", "revision"),
    [
        ("@modelcontextprotocol/client", "2026-07-28", "2026-07-28"),
        ("@modelcontextprotocol/client", "legacy", "2025-11-25"),
        ("@modelcontextprotocol/sdk", "legacy", "2025-11-25"),
    ],
)
def test_the_typescript_clients(
    hub: Hub, modules: Modules, package: str, negotiation: str, revision: str
) -> None:
    """Both generations of it do the same; they too check the answer against its schema."""
    calls = [{"student_id": hub.student_id}, {"student_id": hub.student_id, "days": 0}]
    given = {"url": hub.mcp, "headers": KEY, "tool": TOOL, "calls": calls}
    given |= {"modules": str(modules.path), "package": package, "negotiation": negotiation}
    done = modules.run(SCRIPT, orjson.dumps(given).decode())
    assert done.returncode == 0, done.stderr[-3_000:]
    said = orjson.loads(done.stdout)
    assert said["revision"] == revision
    assert said["tools"] == TOOLS
    good, bad = said["answers"]
    assert good["structuredContent"] == IsPartialDict(
        student_id=hub.student_id, basic_info=IsPartialDict(name="김철수")
    )
    assert bad["isError"] is True
    assert orjson.loads(bad["content"][0]["text"]) == IsPartialDict(code=-32602)
