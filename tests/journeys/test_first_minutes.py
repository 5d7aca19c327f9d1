"""The first minutes of somebody who has just typed `make up`."""

import os
import re
import shlex
import signal
import subprocess
from typing import Any

import httpx2
import orjson
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from journeys.stack import Stack, is_gone, until

NODES = {"logic-engine", "q-dna", "lab-node", "report-node", "school-info"}


@pytest.mark.requirement("up-one-command")
def test_the_printed_command_shows_a_profile(stack: Stack) -> None:
    """The curl line at the end of `up` works as it stands and shows every section filled."""
    lines = stack.said.replace("\\\n", " ")
    match = re.search(r"try\s+(curl .*)", lines)
    assert match is not None
    done = subprocess.run(
        shlex.split(match[1]), capture_output=True, text=True, timeout=60, check=True
    )
    profile = orjson.loads(done.stdout)
    assert profile["basic_info"]["school_id"] == "SCH001"
    assert profile["knowledge_state"]["concepts"]
    assert {profile["sources"][node]["state"] for node in NODES} <= {"fresh", "cached"}


@pytest.mark.requirement("up-one-command")
async def test_the_printed_mcp_entry_connects_a_client(stack: Stack) -> None:
    """The official client, given the URL and headers that `up` prints, lists the tool."""
    match = re.search(r"MCP\s+(\{.*\})", stack.said)
    assert match is not None
    server = orjson.loads(match[1])["mcpServers"]["student-hub"]
    async with httpx2.AsyncClient(headers=server["headers"]) as http:
        transport = streamable_http_client(server["url"], http_client=http)
        async with Client(transport) as client:
            tools = await client.list_tools()
    assert [tool.name for tool in tools.tools] == [
        "get_unified_profile",
        "get_unified_profiles",
        "get_class_analytics",
        "create_learning_intervention",
        "schedule_periodic_task",
    ]


@pytest.mark.requirement("cli-env-status")
def test_env_and_status_tell_of_the_running_stack(stack: Stack) -> None:
    """`env` prints two lines for scripts, `status` every process and its health."""
    env = stack.env()
    assert env == {
        "STUDENT_HUB_URL": f"http://127.0.0.1:{stack.port}",
        "STUDENT_HUB_API_KEY": env["STUDENT_HUB_API_KEY"],
    }
    status = stack.hub("status")
    assert status.returncode == 0
    assert "healthy" in status.stdout
    assert all(name in status.stdout for name in [*NODES, "postgres", "valkey", "worker", "beat"])


@pytest.mark.requirement("cli-env-status")
def test_a_node_that_is_killed_comes_back_and_status_knows_it(
    stack: Stack, http: httpx2.Client
) -> None:
    """It is started again and answers again, and the published processes are those there are."""
    before = stack.pids["school-info"]
    os.kill(before, signal.SIGKILL)
    until(lambda: stack.pids["school-info"] != before, 30)
    assert not is_gone(stack.pids["school-info"])
    assert f"pid {stack.pids['school-info']}" in stack.hub("status").stdout
    path = f"/v1/students/{someone(http)}/profile"
    until(lambda: state_of(http.get(path).json(), "school-info") in {"fresh", "cached"}, 30)


@pytest.mark.requirement("profile-sections")
def test_every_door_gives_the_same_profile(http: httpx2.Client) -> None:
    """REST and JSON-RPC answer with the same object but for its age."""
    student_id = someone(http)
    rest = http.get(f"/v1/students/{student_id}/profile", params={"days": 60}).json()
    call = {"name": "get_unified_profile", "arguments": {"student_id": student_id, "days": 60}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    rpc = http.post("/rpc", json=body).json()["result"]
    assert without_freshness(rpc) == without_freshness(rest)


@pytest.mark.requirement("event-to-profile", "history-forwarded")
def test_an_event_posted_to_the_hub_shows_in_the_profile(http: httpx2.Client) -> None:
    """An answer goes through the hub to the nodes and comes back as knowledge and activity."""
    student_id = someone(http)
    before = answers_of(http, student_id, "9수02-20")
    event = {
        "student_id": student_id,
        "event_type": "study",
        "source_node": 4,
        "source_id": "journey-1",
        "occurred_at": http.get(f"/v1/students/{student_id}/profile").json()["generated_at"],
        "content": {
            "action": "solved_problem",
            "problem_id": "journey",
            "concepts": ["9수02-20"],
            "result": "correct",
            "time_spent": 60,
        },
    }
    for expected in ({"stored": 1, "repeated": 0}, {"stored": 0, "repeated": 1}):
        receipt = http.post("/v1/events", json={"events": [event]}).json()
        assert receipt == {**expected, "refused": []}
    until(lambda: answers_of(http, student_id, "9수02-20") == before + 1, 15)
    history = http.get(f"/v1/students/{student_id}/history").json()
    assert history["events"][0]["source_id"] == "journey-1"


@pytest.mark.requirement("profile-node-failure")
def test_a_node_made_to_fail_costs_its_section_until_it_recovers(
    stack: Stack, http: httpx2.Client
) -> None:
    """A reference node that answers nonsense on purpose leaves a labelled answer behind."""
    student_id = somebody_unasked(http)
    report_node = f"http://127.0.0.1:{stack.nodes_port + 4}/fault"
    httpx2.post(report_node, json=["garbage"]).raise_for_status()
    try:
        profile = http.get(f"/v1/students/{student_id}/profile", params={"days": 3}).json()
        assert profile["sources"]["report-node"]["reason"] == "invalid"
        assert profile["knowledge_state"] is not None
    finally:
        httpx2.post(report_node, json=[]).raise_for_status()
    profile = http.get(f"/v1/students/{student_id}/profile", params={"days": 3}).json()
    assert profile["sources"]["report-node"]["state"] == "fresh"


def someone(http: httpx2.Client) -> str:
    page = http.get("/v1/students", params={"school_id": "SCH001", "name": "김철수"}).json()
    student_id: str = page["students"][0]["id"]
    return student_id


def somebody_unasked(http: httpx2.Client) -> str:
    """A student of whom no node's answer is cached yet."""
    page = http.get("/v1/students", params={"school_id": "SCH001", "limit": 200}).json()
    student_id: str = page["students"][-1]["id"]
    return student_id


def state_of(profile: dict[str, Any], node: str) -> str:
    state: str = profile["sources"][node]["state"]
    return state


def answers_of(http: httpx2.Client, student_id: str, code: str) -> int:
    profile = http.get(f"/v1/students/{student_id}/profile").json()
    concepts = profile["knowledge_state"]["concepts"]
    return sum(concept["answers"] for concept in concepts if concept["code"] == code)


def without_freshness(profile: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in profile.items() if k not in {"sources", "cached", "generated_at"}}
