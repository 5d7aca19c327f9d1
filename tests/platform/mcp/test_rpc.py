"""/rpc: bare JSON-RPC 2.0."""

from typing import Any

import pytest
from dirty_equals import IsPartialDict, IsStr

from doorway import KNOWN, UNKNOWN, Running
from student_hub.platform.mcp.rpc import LONGEST_BATCH

pytestmark = pytest.mark.requirement("rpc", "bad-input")


def call(name: str, call_id: object = 1, **arguments: object) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": params}


async def post(hub: Running, body: object) -> Any:
    async with hub.client() as client:
        answer = await client.post("/rpc", json=body)
    assert answer.status_code == 200
    return answer.json()


async def test_the_result_is_the_object_itself(hub: Running) -> None:
    """No envelope of MCP around it, and the id comes back as it was sent."""
    assert await post(hub, call("echo_student", "a-1", student_id=str(KNOWN), days=7)) == {
        "jsonrpc": "2.0",
        "id": "a-1",
        "result": {
            "student_id": str(KNOWN),
            "days": 7,
            "include_history": True,
            "caller": "key:administrator",
        },
    }


async def test_an_encoded_answer_is_a_result_like_any_other(hub: Running) -> None:
    """A client cannot tell who encoded it."""
    answer = await post(hub, call("echo_encoded", student_id=str(KNOWN)))
    assert answer["result"]["days"] == 7


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (call("echo_student"), -32602, "student_id"),
        (call("echo_student", student_id="x"), -32602, "student_id"),
        (call("echo_student", student_id=str(KNOWN), days=0), -32602, "days"),
        (call("echo_student", student_id=str(KNOWN), days="30"), -32602, "days"),
        (call("echo_student", student_id=str(KNOWN), z=1), -32602, "z"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, -32602, "name"),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": []}, -32602, ""),
        ({**call("echo_student"), "params": {"name": "x", "arguments": 1}}, -32602, "arguments"),
    ],
)
async def test_bad_arguments_name_their_field(
    hub: Running, body: object, code: int, field: str
) -> None:
    """-32602 with every wrong field in `data.errors`."""
    error = (await post(hub, body))["error"]
    assert error["code"] == code
    assert error["data"]["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (call("nothing"), -32602),
        (call("echo_student", student_id=str(UNKNOWN)), -32002),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/burn"}, -32601),
        ({"jsonrpc": "1.0", "id": 1, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": {}, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": 1}}, -32602),
        ("tools/list", -32600),
        ([], -32600),
        ([call("echo_student")] * (LONGEST_BATCH + 1), -32600),
    ],
)
async def test_each_fault_has_its_code(hub: Running, body: object, code: int) -> None:
    """The standard's codes for the envelope, the platform's for what a tool met."""
    answer = await post(hub, body)
    assert answer == IsPartialDict(jsonrpc="2.0", error=IsPartialDict(code=code))


async def test_a_node_that_failed_is_named(hub: Running) -> None:
    """-32001 says which node, which tool and why."""
    error = (await post(hub, call("ask_node")))["error"]
    assert error["code"] == -32001
    assert error["data"] == {"node": "q-dna", "tool": "get_mastery_level", "reason": "timeout"}


async def test_an_unforeseen_failure_says_only_where_to_look(hub: Running) -> None:
    """-32603 with the request's id; one call of a batch fails alone."""
    broken, good = await post(
        hub, [call("break_down", 1), call("echo_encoded", 2, student_id=str(KNOWN))]
    )
    assert broken["error"] == {
        "code": -32603,
        "message": IsStr(regex="(?!.*secret).*"),
        "data": {"request_id": IsStr(min_length=8)},
    }
    assert good["result"]["days"] == 7


async def test_a_batch_is_answered_in_its_order_without_its_notifications(hub: Running) -> None:
    """Every call has its own answer, good or bad, and a notification has none."""
    silent = call("echo_student")
    del silent["id"]
    answers = await post(
        hub,
        [
            call("echo_student", 1, student_id=str(KNOWN)),
            silent,
            7,
            call("nothing", None),
            call("echo_student", 3, student_id=str(UNKNOWN)),
        ],
    )
    assert [(answer["id"], answer.get("error", {}).get("code")) for answer in answers] == [
        (1, None),
        (None, -32600),
        (None, -32602),
        (3, -32002),
    ]


async def test_notifications_alone_are_answered_with_nothing(hub: Running) -> None:
    """204 and no body, for one and for a batch of them."""
    silent = call("echo_student", student_id=str(KNOWN))
    del silent["id"]
    async with hub.client() as client:
        for body in (silent, [silent, silent]):
            answer = await client.post("/rpc", json=body)
            assert (answer.status_code, answer.content) == (204, b"")


async def test_the_longest_batch_is_answered_whole(hub: Running) -> None:
    """A hundred calls, a hundred answers."""
    batch = [call("echo_student", n, student_id=str(KNOWN)) for n in range(LONGEST_BATCH)]
    assert [answer["id"] for answer in await post(hub, batch)] == list(range(LONGEST_BATCH))


async def test_tools_are_listed_with_schemas_and_hints(hub: Running) -> None:
    """The same description that MCP clients get."""
    answer = await post(hub, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    tools = {tool["name"]: tool for tool in answer["result"]["tools"]}
    assert tools["echo_student"] == IsPartialDict(
        title="Echo a student",
        annotations=IsPartialDict(readOnlyHint=True, idempotentHint=True, destructiveHint=False),
        inputSchema=IsPartialDict(additionalProperties=False),
        outputSchema=IsPartialDict(type="object"),
    )
