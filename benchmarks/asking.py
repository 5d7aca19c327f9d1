"""The requests that are sent, as bytes; made once, before anything is measured."""

import itertools
from collections.abc import Iterable, Sequence

import orjson

TOOL = "get_unified_profile"
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
MCP_HEADERS = (
    f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n"
    f"Mcp-Method: tools/call\r\nMcp-Name: {TOOL}\r\n"
)
_numbers = itertools.count(1)


def mcp(students: Iterable[str], key: str = "") -> list[bytes]:
    """A call of the profile's tool for each student."""
    return [_post("/mcp", _call(student, _meta=META), key, MCP_HEADERS) for student in students]


def rpc(students: Iterable[str], key: str) -> list[bytes]:
    """The same as bare JSON-RPC."""
    return [_post("/rpc", _call(student), key, "") for student in students]


def rest(students: Iterable[str], key: str) -> list[bytes]:
    """The same as REST."""
    return paths((f"/v1/students/{student}/profile" for student in students), key)


def paths(wanted: Iterable[str], key: str) -> list[bytes]:
    """A GET of each path."""
    return [_get(path, key) for path in wanted]


def bare(students: Iterable[str]) -> list[bytes]:
    """What the floor is asked."""
    return [_get(f"/{student}", "") for student in students]


def events(students: Sequence[str], key: str) -> list[bytes]:
    """A learning event for each student: it makes that student's profile stale."""
    return [
        _post("/v1/events", {"events": [_event(student, next(_numbers))]}, key, "")
        for student in students
    ]


def creations(students: Iterable[str], key: str) -> list[bytes]:
    """A plan for each student, every call one of its own."""
    return [_post("/v1/interventions", _plan(student), key, "") for student in students]


def _plan(student: str) -> dict[str, object]:
    return {
        "student_id": student,
        "type": "auto",
        "target_level": 0.85,
        "duration_days": 14,
        "idempotency_key": f"bench-{next(_numbers)}",
    }


def _event(student: str, number: int) -> dict[str, object]:
    return {
        "student_id": student,
        "event_type": "study",
        "source_node": 2,
        "source_id": f"bench-{number}",
        "occurred_at": "2026-01-09T05:30:00Z",
        "content": {"action": "solved_problem", "problem_id": "p1", "result": "correct"},
    }


def _call(student: str, **more: object) -> dict[str, object]:
    params = {"name": TOOL, "arguments": {"student_id": student}, **more}
    return {"jsonrpc": "2.0", "id": next(_numbers), "method": "tools/call", "params": params}


def _get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost:8000\r\nX-API-Key: {key}\r\n\r\n".encode()


def _post(path: str, body: object, key: str, headers: str) -> bytes:
    content = orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:8000\r\nX-API-Key: {key}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
