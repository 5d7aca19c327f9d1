"""A hub in which plans are made: what its nodes say, its student, and how it is asked."""

import copy
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2

from mcp_requests import META, MODERN
from whole_hub import WholeHub, whole_hub

WEAK = {
    "weak_areas": [
        {
            "concept": "이차함수와 그래프",
            "code": "9수02-21",
            "current_mastery": 0.65,
            "target_mastery": 0.85,
            "interval": [0.5, 0.8],
            "answers": 12,
        },
        {"concept": "제곱근", "code": "9수01-07", "current_mastery": 0.7},
    ]
}
PATH = {
    "learning_path": [
        {
            "step": 1,
            "activity": "review_concept",
            "concept": "이차함수와 그래프",
            "code": "9수02-21",
            "estimated_duration": 1800,
            "why": "선수 개념, 숙달도 0.65 (n=12)",
        },
        {
            "step": 2,
            "activity": "practice",
            "concept": "이차함수와 그래프",
            "code": "9수02-21",
            "problem_set_id": "PS_456",
            "num_problems": 3,
        },
        {"step": 3, "activity": "practice", "concept": "제곱근", "num_problems": 2},
    ]
}
KNOWN = {
    "concepts": [
        {"name": "이차함수와 그래프", "code": "9수02-21", "mastery": 0.66},
        {"name": "제곱근", "code": "9수01-07", "mastery": 0.7},
        {"name": "집합", "code": "10공수2-02-01", "mastery": 0.95},
    ]
}
TABLES = (
    "interventions",
    "intervention_calls",
    "intervention_notes",
    "scheduled_tasks",
    "learning_history",
    "notices",
)
STANDING = "scheduled_tasks WHERE student_id IS NOT NULL"


@dataclass
class Room:
    """The hub, the administrator's client, and a student."""

    hub: WholeHub
    http: httpx2.Client
    student: str
    events: int = field(default=0)

    def wish(self, **given: object) -> dict[str, object]:
        """A call's arguments: a plan of two weeks."""
        usual = {"student_id": self.student, "type": "auto", "target_level": 0.85}
        return {**usual, "duration_days": 14, **given}

    def create(self, **given: object) -> dict[str, Any]:
        """A plan that is made over REST."""
        answer = self.http.post("/v1/interventions", json=self.wish(**given))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def read(self, plan: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.get(f"/v1/interventions/{plan['intervention_id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def do(self, plan: dict[str, Any], deed: str, body: object = None) -> httpx2.Response:
        return self.http.post(f"/v1/interventions/{plan['intervention_id']}/{deed}", json=body)

    def profile(self) -> dict[str, Any]:
        answer = self.http.get(f"/v1/students/{self.student}/profile")
        found: dict[str, Any] = answer.json()
        return found

    def enrol(self, **place: object) -> str:
        """Another student; their id."""
        student_id = str(uuid.uuid4())
        row = {"school_id": "SCH001", "grade": 10, "class_name": "1반", **place}
        answer = self.http.post(
            "/v1/students", json={"id": student_id, "name": f"김{student_id[:8]}", **row}
        )
        assert answer.status_code == 201, answer.text
        return student_id

    def post(self, *contents: dict[str, Any], student: str | None = None) -> list[str]:
        """Events of the student, each a second after the one before; their source ids."""
        start, events = datetime.now(UTC), []
        for content in contents:
            self.events += 1
            at = start + timedelta(milliseconds=self.events)
            events.append(
                {
                    "student_id": student or self.student,
                    "event_type": "study",
                    "source_node": 4,
                    "source_id": f"event-{self.events}",
                    "occurred_at": at.isoformat(),
                    "content": content,
                }
            )
        answer = self.http.post("/v1/events", json={"events": events})
        assert answer.json()["stored"] == len(events), answer.text
        return [str(event["source_id"]) for event in events]

    def key_of(self, role: str, scopes: Sequence[str], **grant: object) -> str:
        """A key of that role, with a grant unless none is given."""
        subject = f"{role}:{uuid.uuid4()}"
        wanted = {"name": role, "role": role, "subject": subject, "scopes": list(scopes)}
        answer = self.http.post("/admin/keys", json=wanted)
        assert answer.status_code == 201, answer.text
        if grant:
            given = self.http.post("/admin/grants", json={"subject": subject, **grant})
            assert given.status_code == 201, given.text
        return str(answer.json()["key"])

    def rpc(self, arguments: dict[str, object], tool: str) -> dict[str, Any]:
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        found: dict[str, Any] = self.http.post("/rpc", json=body).json()
        return found

    def mcp(self, arguments: dict[str, object], tool: str) -> dict[str, Any]:
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
        headers |= {"Accept": "application/json, text/event-stream"}
        params = {"name": tool, "arguments": arguments, "_meta": META}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        found: dict[str, Any] = self.http.post("/mcp", json=body, headers=headers).json()
        return found


async def stored(owner: asyncpg.Connection) -> dict[str, int]:
    """How many rows there are of everything that a plan leaves; the hub's own tasks apart."""
    counts = {}
    for table in TABLES:
        what = STANDING if table == "scheduled_tasks" else table
        counts[table] = await owner.fetchval(f"SELECT count(*) FROM {what}")  # noqa: S608
    jobs = "SELECT count(*) FROM jobs WHERE payload ? 'intervention_id'"
    return {**counts, "jobs": await owner.fetchval(jobs)}


@contextmanager
def a_room(database_url: str, valkey_url: str, **given: Any) -> Iterator[Room]:
    """The hub runs until the block ends; `given` are settings."""
    unlimited = {"rate_limit_per_minute": 0, "expensive_rate_limit_per_minute": 0}
    with whole_hub(
        database_url, valkey_url, **{**unlimited, "forward_events": False, **given}
    ) as hub:
        hub.node.answers |= {
            "analyze_weak_areas": copy.deepcopy(WEAK),
            "generate_learning_path": copy.deepcopy(PATH),
            "get_knowledge_state": copy.deepcopy(KNOWN),
        }
        with hub.client() as http:
            room = Room(hub, http, "")
            room.student = room.enrol()
            yield room
