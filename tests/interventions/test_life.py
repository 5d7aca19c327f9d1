"""The life of a plan: who may do what when, and what is kept of it."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from planning import Room

pytestmark = pytest.mark.requirement("intervention-life")

LEADS = {
    ("proposed", "approve"): "active",
    ("proposed", "reject"): "cancelled",
    ("proposed", "cancel"): "cancelled",
    ("active", "pause"): "paused",
    ("active", "cancel"): "cancelled",
    ("active", "complete"): "completed",
    ("paused", "resume"): "active",
    ("paused", "cancel"): "cancelled",
}
"""Written down once more, apart from the hub: what leads from one state to the next."""
DEEDS = ("approve", "reject", "pause", "resume", "cancel", "complete", "steps/1/complete")
WHY = {"reason": "학생과 다시 이야기"}


def after(status: str, deed: str) -> str | None:
    """The state that follows, or None when the deed is not open."""
    if deed.startswith("steps"):
        return status if status == "active" else None
    return LEADS.get((status, deed))


@pytest.mark.parametrize("seed", range(6))
async def test_any_walk_agrees_with_the_model(
    deciding_room: Room, owner: asyncpg.Connection, seed: int
) -> None:
    """Deeds at random: each does what the model says, or is refused and changes nothing."""
    room, dice = deciding_room, Random(seed)  # noqa: S311 (a seeded walk)
    for number in range(4):
        plan, status, marked = room.create(idempotency_key=f"{number}"), "proposed", False
        for _ in range(8):
            deed = dice.choice(DEEDS)
            answer = room.do(plan, deed, WHY if deed == "reject" else None)
            following = after(status, deed)
            if following is None:
                assert (answer.status_code, answer.json()["code"]) == (409, -32005), deed
                assert status in answer.json()["detail"]
            else:
                assert answer.status_code == 200, answer.text
                marked, status = marked or deed.startswith("steps"), following
            now = room.read(plan)
            assert now["status"] == status
            assert now["progress"] == {"completed": int(marked), "total": 3}
            await require_check_ahead(owner, now)


async def require_check_ahead(owner: asyncpg.Connection, plan: dict[str, Any]) -> None:
    """A plan that is over has no check any more, one under way or paused has one."""
    active = await owner.fetchval(
        "SELECT count(*) FROM scheduled_tasks WHERE status = 'active' "
        "AND config ->> 'intervention_id' = $1",
        str(UUID(hex=plan["intervention_id"].removeprefix("INT_"))),
    )
    assert active == (1 if plan["status"] in {"active", "paused"} else 0)


def test_who_decided_what_is_kept(deciding_room: Room) -> None:
    """The reason of a rejection too; an approved plan begins at its approval."""
    room = deciding_room
    plan = room.create()
    assert (plan["status"], plan["scheduled_tasks"], plan["ends_at"]) == ("proposed", [], None)
    refused = room.do(plan, "edit", {"version": 99, "duration_days": 7})
    assert (refused.status_code, refused.json()["code"]) == (409, -32005)
    edit = {"version": plan["version"], "duration_days": 7, "keep_steps": [3, 1]}
    edited = room.do(plan, "edit", edit).json()
    assert [step["activity"] for step in edited["learning_path"]] == ["practice", "review_concept"]
    assert [step["step"] for step in edited["learning_path"]] == [1, 2]
    assert room.do(plan, "edit", edit).status_code == 409
    approved = room.do(plan, "approve").json()
    assert approved["scheduled_tasks"][0]["scheduled_at"] == approved["ends_at"]
    other = room.create(duration_days=30)
    assert room.do(other, "reject", WHY).json()["status"] == "cancelled"
    assert [each["decision"] for each in room.read(plan)["decisions"]] == ["edited", "approved"]
    decision = room.read(other)["decisions"][0]
    assert (decision["by"], decision["reason"]) == ("key:administrator", WHY["reason"])


async def test_the_teacher_is_asked_about_a_proposal_and_nobody_else(
    deciding_room: Room, owner: asyncpg.Connection
) -> None:
    """Student and parents hear of it when it begins."""
    room = deciding_room
    plan = room.create()
    await room.hub.work()
    told = await owner.fetch("SELECT template, recipients FROM notices")
    assert [(row["template"], row["recipients"]) for row in told] == [
        ("intervention_proposed", ["teacher"])
    ]
    room.do(plan, "approve")
    await room.hub.work()
    templates = await owner.fetch("SELECT template FROM notices ORDER BY created_at")
    assert [row["template"] for row in templates] == [
        "intervention_proposed",
        "intervention_created",
    ]


async def test_steps_that_are_marked_at_once_are_all_kept(room: Room) -> None:
    """By several people at the same time, each twice; the last one completes the plan."""
    plan = room.create()
    headers = {"X-API-Key": room.hub.key}
    async with httpx2.AsyncClient(base_url=room.hub.url, headers=headers, timeout=60) as http:
        path = f"/v1/interventions/{plan['intervention_id']}/steps"
        asked = [http.post(f"{path}/{step}/complete") for step in (1, 2, 1, 2)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        assert room.read(plan)["progress"] == {"completed": 2, "total": 3}
        assert (await http.post(f"{path}/3/complete")).json()["status"] == "completed"
        assert (await http.post(f"{path}/3/complete")).status_code == 409


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("step", ["4", "0", "100000"])
def test_a_step_that_does_not_exist_is_named(room: Room, step: str) -> None:
    """-32002, with how many there are; and nothing changes."""
    plan = room.create()
    answer = room.do(plan, f"steps/{step}/complete")
    assert (answer.status_code, answer.json()["code"]) == (404, -32002)
    assert "it has 3" in answer.json()["detail"]
    assert room.read(plan)["progress"]["completed"] == 0


@pytest.mark.requirement("bad-input", "shown-ids")
def test_a_plan_is_found_by_either_form_of_its_id_and_no_other(room: Room) -> None:
    """One that does not exist is -32002; something else is no id."""
    plan = room.create()
    name = plan["intervention_id"]
    plain = UUID(hex=name.removeprefix("INT_"))
    assert room.http.get(f"/v1/interventions/{plain}").json() == room.read(plan)
    absent = room.http.get(f"/v1/interventions/{name[:-1]}{'0' if name[-1] != '0' else '1'}")
    assert (absent.status_code, absent.json()["code"]) == (404, -32002)
    assert room.http.get("/v1/interventions/TASK_1").status_code == 422


@pytest.mark.requirement("no-leaks", "intervention-doors")
def test_a_plan_is_seen_with_its_student_and_by_nobody_else(room: Room) -> None:
    """The family reads it and changes nothing; to a stranger it is not there."""
    plan = room.create()
    path = f"/v1/interventions/{plan['intervention_id']}"
    child = {"kind": "student", "student_id": room.student}
    with room.hub.client(room.key_of("parent", ["read"], **child, relation="mother")) as parent:
        assert parent.get(path).json()["status"] == "active"
        assert len(parent.get("/v1/interventions").json()["interventions"]) == 1
        assert parent.post(f"{path}/cancel").status_code == 403
    with room.hub.client(room.key_of("teacher", ["read", "plan"])) as stranger:
        assert stranger.get(path).status_code == 404
        assert stranger.post(f"{path}/cancel").status_code == 404
        assert stranger.get("/v1/interventions").json()["interventions"] == []
    assert room.read(plan)["status"] == "active"


@pytest.mark.requirement("metrics")
def test_the_metrics_count_plans_that_are_not_over(room: Room) -> None:
    """By state, as an operator sees them."""
    room.create()
    room.do(room.create(duration_days=3), "pause")
    room.do(room.create(duration_days=4), "cancel")
    lines = room.http.get("/metrics").text.splitlines()
    found = {line.split()[0]: line.split()[1] for line in lines if line.startswith("active_int")}
    assert found == {
        'active_interventions{status="proposed"}': "0.0",
        'active_interventions{status="active"}': "1.0",
        'active_interventions{status="paused"}': "1.0",
    }


def test_plans_are_listed_page_by_page(room: Room) -> None:
    """The newest first; every filter holds."""
    made = [room.create(duration_days=days)["intervention_id"] for days in (3, 4, 5)]
    found = list(pages(room))
    assert found == made[::-1]
    room.http.post(f"/v1/interventions/{made[0]}/cancel")
    answer = room.http.get("/v1/interventions", params={"status": "cancelled"}).json()
    assert [each["intervention_id"] for each in answer["interventions"]] == made[:1]
    assert room.http.get("/v1/interventions", params={"limit": "0"}).status_code == 422
    assert room.http.get("/v1/interventions", params={"cursor": "x"}).status_code == 422


def pages(room: Room) -> Iterator[str]:
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = room.http.get("/v1/interventions", params=params).json()
        yield from (each["intervention_id"] for each in page["interventions"])
        cursor = page["next"]
        if cursor is None:
            return
