"""Tasks through the doors: REST and the tool, by role and by reach."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from starlette.types import ASGIApp

from doorway import echo_app, furnished, in_process
from factories import a_grant, a_student
from schedules.stage import Room, every
from student_hub.access.rules import RULES, Doors
from student_hub.access.schemas import NewKey
from student_hub.access.service import Access
from student_hub.platform.clock import utc_now
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import SYSTEM, Role, Scope
from student_hub.schedules.routes import router
from student_hub.schedules.tools import TOOLS

pytestmark = pytest.mark.requirement("schedules")

HOURLY = {"task_type": "note", "schedule_type": "cron", "cron_expression": "0 * * * *"}
PLAN = (Scope.READ, Scope.PLAN)
DEEDS = ("pause", "resume", "run-now", "cancel")


@pytest.fixture
def parts(room: Room) -> Parts:
    parts = furnished(room.database)
    room.clock.now = utc_now()
    parts.put(room.schedules)
    return parts


@pytest.fixture
def hub(parts: Parts) -> ASGIApp:
    """The room behind the hub's own rules, types of tasks included."""
    return echo_app(parts, routers=[router], tools=TOOLS, admit=Doors(RULES).admit)


async def key_of(parts: Parts, role: Role, *scopes: Scope, subject: str = "kim") -> str:
    wanted = NewKey(name="x", role=role, scopes=set(scopes), subject=subject)
    return (await parts.get(Access).create_key(SYSTEM, wanted)).key


async def test_a_task_lives_by_rest(hub: ASGIApp, room: Room) -> None:
    """Made, listed, read, paused, resumed, run, and cancelled; ids in either form."""
    async with in_process(hub) as client:
        made = await client.post("/v1/tasks", json=HOURLY)
        assert made.status_code == 201
        task = made.json()
        assert (task["status"], len(task["next_runs"])) == ("active", 3)
        assert (await client.post("/v1/tasks", json=HOURLY)).json() == task
        listed = (await client.get("/v1/tasks", params={"task_type": "note"})).json()
        assert listed == {"tasks": [task], "next": None}
        plain = str(UUID(task["task_id"].removeprefix("TASK_")))
        assert (await client.get(f"/v1/tasks/{plain}")).json() == task
        answers = [await client.post(f"/v1/tasks/{task['task_id']}/{deed}") for deed in DEEDS]
        assert [answer.status_code for answer in answers] == [200, 200, 202, 200]
        assert [answer.json().get("status") for answer in answers] == [
            "paused",
            "active",
            None,
            "cancelled",
        ]
        await room.work()
        runs = (await client.get(f"/v1/tasks/{plain}/runs")).json()
        assert [(run["outcome"], run["run_now"]) for run in runs["runs"]] == [("done", True)]
        over = await client.post(f"/v1/tasks/{plain}/pause")
        assert (over.status_code, over.json()["code"]) == (409, -32005)


async def test_bad_input_is_named_by_rest(hub: ASGIApp) -> None:
    """By the door's own shape and by the room alike."""
    cases: dict[str, dict[str, Any]] = {
        "cron_expression": {**HOURLY, "cron_expression": "*/0 * * * *"},
        "task_type": {**HOURLY, "task_type": "newsletter"},
        "interval_seconds": {**HOURLY, "interval_seconds": 90},
        "timezone": {**HOURLY, "timezone": "Seoul"},
        "run_at": {"task_type": "note", "schedule_type": "one_time", "run_at": "2030-01-01T09:00"},
        "schedule_type": {**HOURLY, "schedule_type": "weekly"},
        "surprise": {**HOURLY, "surprise": 1},
        "idempotency_key": {**HOURLY, "idempotency_key": "한글 열쇠"},
        "student_id": {**HOURLY, "student_id": "*"},
        "config.a": {**HOURLY, "config": {"a": "\x00"}},
    }
    async with in_process(hub) as client:
        for field, body in cases.items():
            refused = await client.post("/v1/tasks", json=body)
            assert refused.status_code == 422, (field, refused.text)
            assert field in [error["field"] for error in refused.json()["errors"]], refused.text
        for path in ("TASK_x", "1", "INT_550e8400e29b41d4a716446655440000"):
            assert (await client.get(f"/v1/tasks/{path}")).status_code == 422
        absent = await client.get(f"/v1/tasks/{uuid4()}")
        assert (absent.status_code, absent.json()["code"]) == (404, -32002)
        assert (await client.get("/v1/tasks")).json()["tasks"] == []


async def call(client: httpx2.AsyncClient, **arguments: object) -> dict[str, Any]:
    params = {"name": "schedule_periodic_task", "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer: dict[str, Any] = (await client.post("/rpc", json=body)).json()
    return answer


async def test_the_tool_answers_with_the_task(hub: ASGIApp) -> None:
    """By /rpc as the object itself; errors name the field as they do by REST."""
    at = "2031-01-08T10:00:00+09:00"
    wanted = {"task_type": "note", "schedule_type": "one_time", "run_at": at}
    async with in_process(hub) as client:
        task = (await call(client, **wanted))["result"]
        assert task["next_runs"] == ["2031-01-08T01:00:00Z"]
        refused = (await call(client, **{**wanted, "run_at": "2020-01-01T00:00:00Z"}))["error"]
        assert (refused["code"], refused["data"]["errors"][0]["field"]) == (-32602, "run_at")
        both = await call(client, **{**wanted, "task_type": "x", "interval_seconds": 5})
        fields = {error["field"] for error in both["error"]["data"]["errors"]}
        assert fields == {"task_type", "interval_seconds"}


async def test_a_key_that_was_used_is_a_conflict(hub: ASGIApp) -> None:
    """With other arguments, at every door."""
    async with in_process(hub) as client:
        first = await call(client, **HOURLY, idempotency_key="k1")
        again = await client.post("/v1/tasks", json={**HOURLY, "idempotency_key": "k1"})
        assert again.json() == first["result"]
        other = await call(client, **{**HOURLY, "timezone": "UTC"}, idempotency_key="k1")
        assert other["error"]["code"] == -32005


@pytest.mark.requirement("door-rules")
@pytest.mark.parametrize("role", [Role.STUDENT, Role.PARENT])
async def test_tasks_are_not_for_families(hub: ASGIApp, parts: Parts, role: Role) -> None:
    """Neither to plan nor to see, by any door."""
    async with in_process(hub, await key_of(parts, role, Scope.READ)) as client:
        paths = [("POST", ""), ("GET", ""), ("GET", f"/{uuid4()}"), ("GET", f"/{uuid4()}/runs")]
        for method, path in [*paths, *(("POST", f"/{uuid4()}/{deed}") for deed in DEEDS)]:
            refused = await client.request(method, f"/v1/tasks{path}", json=HOURLY)
            assert (refused.status_code, refused.json()["code"]) == (403, -32003), path
        assert (await call(client, **HOURLY))["error"]["code"] == -32003


@pytest.mark.requirement("no-leaks")
async def test_a_teacher_plans_for_their_class_and_sees_no_other_plan(
    hub: ASGIApp, parts: Parts, room: Room, owner: asyncpg.Connection
) -> None:
    """What is not theirs is answered exactly as what is not there."""
    mine = await a_student(room.students)
    other = await a_student(room.students, class_name="2반")
    place = {"school_id": "SCH001", "grade": 10, "class_name": "1반"}
    await a_grant(owner, "kim", "class", **place)
    check = {**HOURLY, "task_type": "check"}
    kim = await key_of(parts, Role.TEACHER, *PLAN)
    async with in_process(hub) as admin, in_process(hub, kim) as client:
        foreign = (
            await admin.post("/v1/tasks", json={**check, "student_id": str(other.id)})
        ).json()
        for_all = (await admin.post("/v1/tasks", json=HOURLY)).json()
        own = await client.post("/v1/tasks", json={**check, "student_id": str(mine.id)})
        assert own.status_code == 201
        assert (await client.post("/v1/tasks", json=HOURLY)).status_code == 403
        refusals = [
            await client.post("/v1/tasks", json={**check, "student_id": str(student_id)})
            for student_id in (other.id, uuid4())
        ]
        assert [(r.status_code, r.json()["code"]) for r in refusals] == [(404, -32002)] * 2
        assert (await client.get("/v1/tasks")).json()["tasks"] == [own.json()]
        for wanted in (foreign["task_id"], for_all["task_id"], f"TASK_{uuid4().hex}"):
            answers = [await client.get(f"/v1/tasks/{wanted}{end}") for end in ("", "/runs")]
            answers += [await client.post(f"/v1/tasks/{wanted}/{deed}") for deed in DEEDS]
            assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, -32002)}
        for deed in DEEDS:
            done = await client.post(f"/v1/tasks/{own.json()['task_id']}/{deed}")
            assert done.is_success, done.text
        assert (await admin.get(f"/v1/tasks/{foreign['task_id']}")).json()["status"] == "active"


async def test_reading_alone_changes_no_task(hub: ASGIApp, parts: Parts, room: Room) -> None:
    """Without the scope `plan` tasks are shown and left as they are."""
    task = await room.schedules.create(SYSTEM, every(60))
    async with in_process(hub, await key_of(parts, Role.SERVICE, Scope.READ)) as client:
        assert (await client.get(f"/v1/tasks/{task.task_id}")).status_code == 200
        for deed in DEEDS:
            refused = await client.post(f"/v1/tasks/{task.task_id}/{deed}")
            assert (refused.status_code, refused.json()["code"]) == (403, -32003)
    assert (await room.schedules.read(SYSTEM, task.task_id)).status == "active"
