"""Nodes over the wire, asked by the official client in both eras of the protocol."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent

from learning_events import START, answer, student_id
from node_servers import node
from reference_nodes.eventlog import EventLog
from reference_nodes.serving.assembly import NODES

pytestmark = pytest.mark.requirement("nodes-serving")

STUDENT = str(student_id("a"))
ERAS = pytest.mark.parametrize(
    ("mode", "revision"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")]
)
MODES = pytest.mark.parametrize("mode", ["legacy", "auto"])
DESTROYING = {"void_event", "forget_student"}
WRITING = {"record_events", *DESTROYING}
ABOUT_A_STUDENT = {
    "logic-engine": ["get_knowledge_state"],
    "q-dna": ["get_mastery_level", "analyze_weak_areas"],
    "lab-node": ["get_recent_activities"],
    "report-node": ["get_latest_reports", "generate_daily_report"],
}


def clock() -> datetime:
    return START + timedelta(days=9)


def events(count: int = 12) -> list[dict[str, object]]:
    return [
        answer("a", f"p{n}", n % 3 > 0, minutes=n, source_id=f"s{n}").model_dump(mode="json")
        for n in range(count)
    ]


async def asked(url: str, tool: str, mode: str = "auto", **arguments: object) -> CallToolResult:
    async with Client(f"{url}/mcp", mode=mode) as client:
        result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@ERAS
async def test_every_node_speaks_both_eras(tmp_path: Path, mode: str, revision: str) -> None:
    """Each of the six lists its tools, every one with schemas, a title and annotations."""
    for name in NODES:
        async with node(name, tmp_path) as url, Client(f"{url}/mcp", mode=mode) as client:
            assert client.protocol_version == revision
            listed = await client.list_tools()
            assert listed.tools
            for tool in listed.tools:
                assert tool.input_schema["additionalProperties"] is False
                assert tool.output_schema is not None
                assert tool.title
                assert tool.annotations is not None
                assert tool.annotations.read_only_hint is (tool.name not in WRITING)
                assert tool.annotations.destructive_hint is (tool.name in DESTROYING)


@MODES
@pytest.mark.parametrize(("name", "tools"), ABOUT_A_STUDENT.items())
async def test_answers_are_structured_and_the_same_as_text(
    tmp_path: Path, mode: str, name: str, tools: list[str]
) -> None:
    """The structured answer fits the tool's schema (the client checks) and equals the text."""
    with EventLog(tmp_path) as log:
        log.append(answer("a", f"p{n}", n % 3 > 0, minutes=n) for n in range(12))
    async with (
        node(name, tmp_path, clock=clock) as url,
        Client(f"{url}/mcp", mode=mode) as client,
    ):
        await client.list_tools()
        for tool in tools:
            result = await client.call_tool(tool, {"student_id": STUDENT})
            assert isinstance(result, CallToolResult)
            assert not result.is_error
            assert json.loads(text_of(result)) == result.structured_content
            assert result.structured_content["student_id"] == STUDENT
            assert result.structured_content["generated_at"] == "2026-03-11T09:00:00Z"


async def test_an_event_recorded_at_node_4_shows_in_the_next_answers(tmp_path: Path) -> None:
    """Each node reads the log on each call; no restart, no delay."""
    async with (
        node("lab-node", tmp_path) as lab,
        node("logic-engine", tmp_path) as logic,
        node("q-dna", tmp_path) as q_dna,
    ):
        for count in (3, 5):
            recorded = await asked(lab, "record_events", events=events(count))
            assert not recorded.is_error
            state = await asked(logic, "get_knowledge_state", student_id=STUDENT)
            level = await asked(q_dna, "get_mastery_level", student_id=STUDENT)
            assert state.structured_content["concepts"][0]["answers"] == count
            assert level.structured_content["answers"] == count


async def test_events_sent_twice_are_counted_once(tmp_path: Path) -> None:
    """The tool is idempotent, as its annotation says."""
    async with node("lab-node", tmp_path) as lab:
        first = await asked(lab, "record_events", events=events())
        again = await asked(lab, "record_events", events=events())
    assert first.structured_content == {"recorded": 12, "repeated": 0}
    assert again.structured_content == {"recorded": 0, "repeated": 12}


@MODES
@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({}, ["student_id"]),
        ({"student_id": "kim"}, ["student_id"]),
        ({"student_id": STUDENT, "days": 0}, ["days"]),
        ({"student_id": STUDENT, "days": "7"}, ["days"]),
        ({"student_id": STUDENT, "days": 7.0}, ["days"]),
        ({"student_id": STUDENT, "days": True, "weeks": 1}, ["days", "weeks"]),
    ],
)
async def test_bad_arguments_are_a_result_that_names_them(
    tmp_path: Path, mode: str, arguments: dict[str, object], fields: list[str]
) -> None:
    """A model can read the error and correct itself; nothing is coerced."""
    async with node("lab-node", tmp_path) as url:
        result = await asked(url, "get_recent_activities", mode, **arguments)
    assert result.is_error
    error = result.structured_content["error"]
    assert (error["code"], error["fields"]) == ("invalid_arguments", fields)
    assert all(field in error["message"] for field in fields)
    assert json.loads(text_of(result)) == result.structured_content


async def test_a_bad_event_is_named_by_its_place_and_nothing_is_stored(tmp_path: Path) -> None:
    """One bad event refuses the batch; values are not echoed."""
    bad = [*events(2), {**events(1)[0], "occurred_at": "secret yesterday"}]
    async with node("lab-node", tmp_path) as url:
        result = await asked(url, "record_events", events=bad)
    assert result.is_error
    assert result.structured_content["error"]["fields"] == ["events.2.occurred_at"]
    assert "secret" not in text_of(result)
    with EventLog(tmp_path) as log:
        assert log.head() == 0


async def test_a_refusal_of_the_tool_names_its_field(tmp_path: Path) -> None:
    """A weekly report without students is an error result, not an empty report."""
    async with node("report-node", tmp_path) as url:
        result = await asked(url, "generate_weekly_report", class_id="SCH001:10:1반")
    assert result.is_error
    assert result.structured_content["error"]["fields"] == ["student_ids"]


@MODES
async def test_an_unknown_tool_is_a_protocol_error(tmp_path: Path, mode: str) -> None:
    """-32602, as the standard says."""
    async with node("lab-node", tmp_path) as url, Client(f"{url}/mcp", mode=mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: get_everything") as refused:
            await client.call_tool("get_everything", {})
    assert refused.value.error.code == -32602


async def test_many_calls_at_once_are_all_answered(tmp_path: Path) -> None:
    """Threads share one model; every answer is whole."""
    answers: list[CallToolResult] = []
    async with node("logic-engine", tmp_path) as url, Client(f"{url}/mcp") as client:

        async def ask() -> None:
            result = await client.call_tool("get_knowledge_state", {"student_id": STUDENT})
            assert isinstance(result, CallToolResult)
            answers.append(result)

        with EventLog(tmp_path) as log:
            async with anyio.create_task_group() as tasks:
                for n in range(20):
                    log.append([answer("a", f"p{n}", True, minutes=n)])
                    tasks.start_soon(ask)
    counts = [a.structured_content["concepts"][0]["answers"] for a in answers]
    assert len(counts) == 20
    assert max(counts) == 20


async def test_the_port_answers_what_it_should(tmp_path: Path) -> None:
    """/livez is alive, /mcp takes POST alone, strangers' host names are refused."""
    async with node("lab-node", tmp_path) as url, httpx2.AsyncClient(base_url=url) as http:
        assert (await http.get("/livez")).text == "ok"
        get = await http.get("/mcp", headers={"Accept": "text/event-stream"})
        assert (get.status_code, get.headers["allow"]) == (405, "POST")
        assert (await http.get("/elsewhere")).status_code == 404
        rebound = await http.post("/mcp", json={}, headers={"Host": "evil.example"})
        assert rebound.status_code == 421


async def test_a_body_too_large_is_refused(tmp_path: Path) -> None:
    """More than 4 MiB never reach the parser."""
    async with node("lab-node", tmp_path) as url, httpx2.AsyncClient(base_url=url) as http:
        headers = {"Content-Type": "application/json"}
        reply = await http.post("/mcp", content=b" " * (5 * 1024 * 1024), headers=headers)
    assert reply.status_code == 413


async def test_the_clock_is_utc_by_default(tmp_path: Path) -> None:
    """Answers are stamped with the time of the call."""
    before = datetime.now(UTC)
    async with node("q-dna", tmp_path) as url:
        result = await asked(url, "get_mastery_level", student_id=STUDENT)
    stamped = datetime.fromisoformat(result.structured_content["generated_at"])
    assert before <= stamped <= datetime.now(UTC)
