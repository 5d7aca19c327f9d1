"""/mcp: raw requests of the newest revision and of an older one."""

from typing import Any

import orjson
import pytest
from dirty_equals import IsInstance, IsPartialDict, IsStr
from httpx2 import Response

from doorway import KNOWN, UNKNOWN, Running

pytestmark = pytest.mark.requirement("mcp-both-eras", "mcp-tool-contract", "bad-input")

MODERN = "2026-07-28"
OLDER = "2025-06-18"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = {"accept": "application/json, text/event-stream"}
REVISIONS = (MODERN, OLDER)


async def send(hub: Running, revision: str, method: str, **params: Any) -> Response:
    headers = {**ACCEPT, "MCP-Protocol-Version": revision}
    if revision == MODERN:
        params["_meta"] = META
        headers["Mcp-Method"] = method
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with hub.client() as client:
        return await client.post("/mcp", json=body, headers=headers)


async def call(hub: Running, revision: str, name: str, **arguments: object) -> Any:
    return (await send(hub, revision, "tools/call", name=name, arguments=arguments)).json()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_answer_is_structured_and_the_same_as_text(hub: Running, revision: str) -> None:
    """A program reads `structuredContent`, an older client the text; both say the same."""
    result = (await call(hub, revision, "echo_student", student_id=str(KNOWN)))["result"]
    assert result["structuredContent"] == IsPartialDict(days=30, caller="key:administrator")
    assert result["content"] == [{"type": "text", "text": IsStr(regex=r'\{"student_id":.*\}')}]
    assert result["isError"] is False


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize(
    ("arguments", "code", "mentioned"),
    [
        ({"student_id": "x"}, -32602, "student_id"),
        ({"student_id": str(KNOWN), "days": 0}, -32602, "days"),
        ({"student_id": str(KNOWN), "days": "30"}, -32602, "days"),
        ({"student_id": str(KNOWN), "z": 1}, -32602, "z: there is no such field"),
        ({"student_id": str(UNKNOWN)}, -32002, str(UNKNOWN)),
    ],
)
async def test_a_failed_tool_is_a_result_that_a_model_can_read(
    hub: Running, revision: str, arguments: dict[str, object], code: int, mentioned: str
) -> None:
    """`isError` with code, message and data; structured only where no client chokes on it."""
    result = (await call(hub, revision, "echo_student", **arguments))["result"]
    assert result["isError"] is True
    error = orjson.loads(result["content"][0]["text"])
    assert error == IsPartialDict(code=code, data=IsInstance(dict))
    assert mentioned in error["message"]
    assert result.get("structuredContent") == (error if revision == MODERN else None)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_unforeseen_failure_shows_nothing_of_its_cause(
    hub: Running, revision: str
) -> None:
    """-32603 and the request's id, by which it is found in the log."""
    answer = await send(hub, revision, "tools/call", name="break_down", arguments={})
    error = orjson.loads(answer.json()["result"]["content"][0]["text"])
    assert error["code"] == -32603
    assert error["data"] == {"request_id": answer.headers["x-request-id"]}
    assert "secret" not in answer.text


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_unknown_tool_is_a_protocol_error(hub: Running, revision: str) -> None:
    """-32602, as the specification says: there is no tool that could have failed."""
    answer = await call(hub, revision, "nothing")
    assert answer["error"]["code"] == -32602
    assert "nothing" in answer["error"]["message"]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_list_says_how_long_it_is_good_where_the_revision_knows_that(
    hub: Running, revision: str
) -> None:
    """Tools with schemas and hints; the newest revision also gets a time to live."""
    result = (await send(hub, revision, "tools/list")).json()["result"]
    assert result["tools"][0]["name"] == "echo_student"
    assert result.get("ttlMs") == (300_000 if revision == MODERN else None)


async def test_the_newest_revision_discovers_what_the_server_can_do(hub: Running) -> None:
    """`server/discover` names the revision and the tools, and no feature that is not there."""
    result = (await send(hub, MODERN, "server/discover")).json()["result"]
    assert result["supportedVersions"] == [MODERN]
    assert set(result["capabilities"]) == {"tools"}


@pytest.mark.parametrize("requested", ["2025-06-18", "2025-11-25"])
async def test_older_clients_initialize_as_they_always_did(hub: Running, requested: str) -> None:
    """The revision that the client asked for is the one that is spoken; no session is kept."""
    body = {
        "protocolVersion": requested,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    async with hub.client() as client:
        answer = await client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": body},
            headers=ACCEPT,
        )
    assert answer.json()["result"] == IsPartialDict(
        protocolVersion=requested, serverInfo=IsPartialDict(name="student-hub")
    )
    assert "mcp-session-id" not in answer.headers


async def test_a_header_that_contradicts_the_body_is_refused(hub: Running) -> None:
    """400 and -32020: who routes by headers and who reads the body see the same call."""
    params = {"name": "echo_student", "arguments": {}, "_meta": META}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "other"}
    async with hub.client() as client:
        answer = await client.post("/mcp", json=body, headers={**ACCEPT, **headers})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Host", "evil.example", 421), ("Origin", "https://evil.example", 403)],
)
async def test_a_strange_host_or_origin_is_refused(
    hub: Running, header: str, value: str, status: int
) -> None:
    """A page in a browser cannot reach the hub through a name that it made resolve here."""
    async with hub.client() as client:
        answer = await client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "ping"},
            headers={**ACCEPT, header: value},
        )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "params": {"name": "홍길동"}},
        {"jsonrpc": "1.0", "id": 1, "method": "홍길동"},
        {"jsonrpc": "2.0", "id": {"name": "홍길동"}, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["홍길동"]},
        [{"jsonrpc": "2.0", "id": 1, "method": "홍길동"}],
        ["홍길동"],
        "홍길동",
        None,
    ],
)
async def test_what_is_no_message_is_refused_without_being_repeated(
    hub: Running, message: object
) -> None:
    """The code is that of an invalid request, and nothing that was sent comes back."""
    headers = {**ACCEPT, "MCP-Protocol-Version": OLDER, "content-type": "application/json"}
    async with hub.client() as client:
        answer = await client.post("/mcp", content=orjson.dumps(message), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32600
    assert "홍길동" not in answer.text
    assert "pydantic" not in answer.text
