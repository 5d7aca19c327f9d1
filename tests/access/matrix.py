"""The matrix of who asks for what of whom: its cast, its students, and what each cell must be.

What is expected is written down here once more, by hand and in other words than in the hub: who
sees which student, what is withheld from whom, and which roles a door is for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx2

from mcp_requests import META, MODERN

READ, WRITE = {"read"}, {"read", "write"}
OWN = {"school_id": "SCH001", "grade": 10, "class_name": "1반"}
PLACES: dict[str, dict[str, object]] = {
    "own": OWN,
    "other class": {**OWN, "class_name": "2반"},
    "other grade": {**OWN, "grade": 11},
    "other school": {**OWN, "school_id": "SCH002"},
}
ALL = frozenset(PLACES)
ABSENT = "absent"
SECRETS = ("email", "parent_contact", "special_needs")


@dataclass(frozen=True)
class Target:
    """A student who is asked for, and the values that were planted in their data."""

    id: UUID
    place: str
    planted: Mapping[str, str]

    @classmethod
    def at(cls, place: str) -> "Target":
        """Of letters alone: no value occurs in another, or by chance."""
        mark = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:12])
        fields = ("name", "student_number", "interests", "event", *SECRETS)
        planted = {field: f"{field[:4]}-{mark}" for field in fields}
        return cls(uuid4(), place, {**planted, "email": f"mail-{mark}@example.kr"})

    def register(self) -> dict[str, object]:
        """What the register is told of them."""
        metadata = {
            "special_needs": [self.planted["special_needs"]],
            "interests": [self.planted["interests"]],
        }
        plain = ("name", "student_number", "email", "parent_contact")
        fields = {field: self.planted[field] for field in plain}
        place = PLACES.get(self.place, OWN)
        return {"id": str(self.id), **place, **fields, "metadata": metadata}

    def event(self) -> dict[str, object]:
        """Something that they did."""
        return {
            "student_id": str(self.id),
            "event_type": "study",
            "source_node": 4,
            "source_id": f"answer-{self.id}",
            "occurred_at": datetime.now(UTC).isoformat(),
            "content": {"action": "solved_problem", "problem_id": self.planted["event"]},
        }


@dataclass(frozen=True)
class Actor:
    """Somebody with a key, the places of those whom they see, and the fields they never see."""

    role: str
    scopes: frozenset[str]
    sees: frozenset[str]
    grant: Mapping[str, object] | None = None
    withheld: tuple[str, ...] = ()
    revoked: bool = False

    @property
    def reads(self) -> bool:
        return bool({"read", "admin"} & self.scopes)


def actor(role: str, scopes: set[str], sees: set[str] | frozenset[str], **more: object) -> Actor:
    return Actor(role, frozenset(scopes), frozenset(sees), **more)  # type: ignore[arg-type]


SCHOOL = {"kind": "school", "school_id": "SCH001"}
GRADE = {**SCHOOL, "kind": "grade", "grade": 10}
CLASS = {**GRADE, "kind": "class", "class_name": "1반"}
CHILD = {"kind": "student"}
CARE = ("parent_contact", "special_needs")

CAST: dict[str, Actor] = {
    "administrator": actor("admin", {"admin"}, ALL),
    "reading administrator": actor("admin", READ, ALL),
    "service": actor("service", WRITE, ALL, withheld=SECRETS),
    "reading service": actor("service", READ, ALL, withheld=SECRETS),
    "sensitive service": actor("service", {"read", "sensitive"}, ALL),
    "importer": actor("service", {"write"}, set()),
    "class teacher": actor("teacher", READ, {"own"}, grant=CLASS),
    "grade teacher": actor("teacher", READ, {"own", "other class"}, grant=GRADE),
    "head": actor("teacher", READ, ALL - {"other school"}, grant=SCHOOL),
    "new teacher": actor("teacher", READ, set()),
    "former teacher": actor("teacher", READ, set(), grant=CLASS, revoked=True),
    "parent": actor("parent", READ, {"own"}, grant=CHILD),
    "stranger's parent": actor("parent", READ, set()),
    "student": actor("student", READ, {"own"}, grant=CHILD, withheld=CARE),
    "new student": actor("student", READ, set()),
    "planning teacher": actor("teacher", {"read", "plan"}, {"own"}, grant=CLASS),
    "planning service": actor("service", {"read", "plan"}, ALL, withheld=SECRETS),
}

EVERYBODY = frozenset({"admin", "service", "teacher", "parent", "student"})
SYSTEMS = frozenset({"admin", "service"})
STAFF = SYSTEMS | {"teacher"}
Ask = Callable[[httpx2.Client, Target, int], httpx2.Response]


@dataclass(frozen=True)
class Operation:
    """A way to ask for a student, the doors it leads through, and what its answer shows."""

    ask: Ask
    doors: tuple[str, ...]
    shows: tuple[str, ...]
    roles: frozenset[str] = EVERYBODY


def _get(path: str) -> Ask:
    def ask(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
        params = {"days": days} if path.endswith(("history", "profile")) else {}
        return client.get(path.replace("{student_id}", str(target.id)), params=params)

    return ask


def _export(client: httpx2.Client, target: Target, _days: int) -> httpx2.Response:
    path = f"/v1/students/{target.id}/export"
    answer = client.post(path, json={"reason": "asked for by themselves"})
    answer.headers.pop("content-length", None)
    return answer


def _found(client: httpx2.Client, target: Target, _days: int) -> httpx2.Response:
    return client.get("/v1/students", params={"name": target.planted["name"]})


def _tasks_of(client: httpx2.Client, target: Target, _days: int) -> httpx2.Response:
    return client.get("/v1/tasks", params={"student_id": str(target.id)})


def _batch(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
    return client.post("/v1/profiles", json={"student_ids": [str(target.id)], "days": days})


def _plans_of(client: httpx2.Client, target: Target, _days: int) -> httpx2.Response:
    return client.get("/v1/interventions", params={"student_id": str(target.id)})


def _arguments(tool: str, target: Target, days: int) -> dict[str, object]:
    wanted = str(target.id)
    one = tool == "get_unified_profile"
    return {"student_id": wanted, "days": days} if one else {"student_ids": [wanted], "days": days}


def _rpc(tool: str) -> Ask:
    def ask(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
        params = {"name": tool, "arguments": _arguments(tool, target, days)}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return client.post("/rpc", json=body)

    return ask


def _mcp(tool: str, era: str) -> Ask:
    headers = {"MCP-Protocol-Version": era, "Accept": "application/json, text/event-stream"}
    if era == MODERN:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}

    def ask(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
        params: dict[str, object] = {"name": tool, "arguments": _arguments(tool, target, days)}
        if era == MODERN:
            params["_meta"] = META
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return client.post("/mcp", json=body, headers=headers)

    return ask


def _tools() -> dict[str, Operation]:
    found = {}
    for tool in ("get_unified_profile", "get_unified_profiles"):
        found[f"{tool} by /rpc"] = Operation(_rpc(tool), ("POST /rpc", f"tool {tool}"), ("name",))
        for era in (MODERN, "2025-06-18"):
            doors = ("/mcp", f"tool {tool}")
            found[f"{tool} by /mcp, {era}"] = Operation(_mcp(tool, era), doors, ("name",))
    return found


def _class_of(target: Target) -> str:
    """The class of the student; one that does not exist for a student who does not."""
    place = PLACES.get(target.place, {**OWN, "class_name": "없음"})
    return f"{place['school_id']}:{place['grade']}:{place['class_name']}"


def _class_read(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
    return client.get(f"/v1/classes/{_class_of(target)}/analytics", params={"days": days})


def _class_tool(client: httpx2.Client, target: Target, days: int) -> httpx2.Response:
    arguments = {"class_id": _class_of(target), "days": days}
    params = {"name": "get_class_analytics", "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return client.post("/rpc", json=body)


def _route(path: str, *shows: str, roles: frozenset[str] = EVERYBODY) -> dict[str, Operation]:
    return {path: Operation(_get(path), (f"GET {path}",), shows, roles)}


REGISTER = ("name", "student_number", "interests", *SECRETS)
READS: dict[str, Operation] = {
    **_route("/v1/students/{student_id}", *REGISTER),
    **_route("/v1/students/{student_id}/history", "event"),
    **_route("/v1/students/{student_id}/profile", "name"),
    **_route("/v1/students/{student_id}/viewers", roles=EVERYBODY - {"service"}),
    **_route("/v1/students/{student_id}/consents"),
    **_route("/v1/students/{student_id}/processing"),
    "export": Operation(
        _export,
        ("POST /v1/students/{student_id}/export",),
        (*REGISTER, "event"),
        EVERYBODY - {"service", "teacher"},
    ),
    **_route("/v1/students/{student_id}/consents"),
    **_route("/v1/students/{student_id}/processing"),
    "list by name": Operation(_found, ("GET /v1/students",), REGISTER),
    "plans of a student": Operation(_plans_of, ("GET /v1/interventions",), ()),
    "tasks of a student": Operation(
        _tasks_of, ("GET /v1/tasks",), (), frozenset({"admin", "service", "teacher"})
    ),
    "batch of profiles": Operation(_batch, ("POST /v1/profiles",), ("name",)),
    **_tools(),
    "class": Operation(_class_read, ("GET /v1/classes/{class_id}/analytics",), (), STAFF),
    "class by /rpc": Operation(_class_tool, ("POST /rpc", "tool get_class_analytics"), (), STAFF),
}


def _write(method: str, path: str, body: Callable[[Target], object]) -> Ask:
    def ask(client: httpx2.Client, target: Target, _days: int) -> httpx2.Response:
        filled = path.replace("{student_id}", str(target.id)).replace("{consent_id}", str(uuid4()))
        return client.request(method, filled, json=body(target))

    return ask


def _nothing(_: Target) -> None:
    return None


def _consent(_: Target) -> dict[str, str]:
    return {
        "purpose": "learning",
        "version": "1",
        "method": "written",
        "given_by_relation": "guardian",
    }


def _changes() -> dict[str, Ask]:
    one, why = "/v1/students/{student_id}", {"reason": "planted"}
    asks = {
        ("POST", "/v1/students"): lambda target: target.register(),
        ("POST", "/v1/students/import"): lambda target: {"students": [target.register()]},
        ("PATCH", one): lambda _: {"class_name": "9반"},
        ("POST", f"{one}/consents"): _consent,
        ("POST", f"{one}/consents/{{consent_id}}/withdraw"): _nothing,
        ("PUT", f"{one}/processing"): lambda _: {"state": "stopped", **why},
        ("POST", "/v1/events"): lambda target: {"events": [target.event()]},
        ("POST", "/v1/events/void"): lambda target: {
            "source_node": 4,
            "source_id": f"answer-{target.id}",
        },
        ("POST", f"{one}/erasure"): lambda _: why,
        ("DELETE", one): _nothing,
    }
    return {f"{method} {path}": _write(method, path, body) for (method, path), body in asks.items()}


WRITES: dict[str, Ask] = _changes()
"""What changes a student: for administrators and services with the scope `write`, nobody else."""


PLANS = {
    "tool create_learning_intervention",
    "POST /v1/interventions",
    "GET /v1/interventions/effect",
    "GET /v1/interventions/{intervention_id}",
    *(
        f"POST /v1/interventions/{{intervention_id}}/{deed}"
        for deed in ("approve", "edit", "reject", "pause", "resume", "cancel", "complete")
    ),
    "POST /v1/interventions/{intervention_id}/steps/{step}/complete",
    "tool schedule_periodic_task",
    "POST /v1/tasks",
    "GET /v1/tasks/{task_id}",
    "GET /v1/tasks/{task_id}/runs",
    *(f"POST /v1/tasks/{{task_id}}/{deed}" for deed in ("pause", "resume", "cancel", "run-now")),
}
"""What makes, shows or changes a plan: who may is asked in the room that keeps it."""
