"""Progress checks: what they compare and propose, and plans that are over their time."""

from typing import Any

import asyncpg
import pytest

from planning import Room
from student_hub.interventions.judging import Standing, areas_now, judge
from student_hub.interventions.schemas import AreaNow, AreaToMend, Progress, Proposal
from student_hub.nodes.schemas import ConceptState

pytestmark = pytest.mark.requirement("intervention-checks")

QUADRATIC = "이차함수와 그래프"


def area(start: float, now: float | None, target: float = 0.85) -> AreaNow:
    return AreaNow(concept="이차함수", start=start, now=now, target=target)


@pytest.mark.parametrize(
    ("areas", "completed", "elapsed", "expected"),
    [
        ([area(0.6, 0.86), area(0.7, 0.85)], 1, 0.5, (Proposal.COMPLETE, ["targets_reached"])),
        ([area(0.6, 0.9), area(0.7, None)], 1, 0.2, (Proposal.CONTINUE, ["on_the_way"])),
        ([area(0.6, None)], 4, 1.0, (Proposal.EXTEND, ["time_over"])),
        ([area(0.6, 0.55)], 1, 0.1, (Proposal.ESCALATE, ["mastery_fell"])),
        ([area(0.6, 0.56)], 1, 0.1, (Proposal.CONTINUE, ["on_the_way"])),
        ([area(0.6, 0.7)], 0, 0.5, (Proposal.ESCALATE, ["not_begun"])),
        ([area(0.6, 0.61)], 4, 0.5, (Proposal.ESCALATE, ["no_gain"])),
        ([area(0.6, 0.61)], 3, 0.5, (Proposal.CONTINUE, ["on_the_way"])),
        ([area(0.6, 0.61)], 4, 0.4, (Proposal.CONTINUE, ["on_the_way"])),
        ([area(0.6, 0.5)], 0, 1.0, (Proposal.ESCALATE, ["mastery_fell", "not_begun"])),
        ([area(0.6, 0.8)], 4, 1.0, (Proposal.EXTEND, ["time_over"])),
        ([], 1, 0.3, (Proposal.CONTINUE, ["on_the_way"])),
    ],
)
def test_what_is_proposed(
    areas: list[AreaNow], completed: int, elapsed: float, expected: tuple[Proposal, list[str]]
) -> None:
    """At the edge of each rule, with the reasons as codes."""
    progress = Progress(completed=completed, total=8)
    assert judge(Standing(areas, progress, elapsed)) == expected


def test_areas_are_found_by_code_before_name() -> None:
    """What node 1 does not know any more is null, and not a fall to nothing."""
    areas = [
        AreaToMend(concept="가", code="1", current_mastery=0.5, target_mastery=0.8),
        AreaToMend(concept="나", current_mastery=0.5, target_mastery=0.8),
        AreaToMend(concept="다", code="3", current_mastery=0.5, target_mastery=0.8),
    ]
    known = [
        ConceptState(name="가", code="9", mastery=0.1),
        ConceptState(name="other", code="1", mastery=0.6),
        ConceptState(name="나", mastery=0.7),
    ]
    assert [each.now for each in areas_now(areas, known)] == [0.6, 0.7, None]


async def run_check(room: Room, plan: dict[str, Any]) -> dict[str, Any]:
    """Runs the plan's own check now; what was found."""
    task = room.read(plan)["scheduled_tasks"][-1]["task_id"]
    assert room.http.post(f"/v1/tasks/{task}/run-now").status_code in {200, 201, 202}
    await room.hub.work()
    found: dict[str, Any] = room.read(plan)
    return found


async def test_a_check_is_stored_told_to_the_teacher_and_the_run_ends(
    room: Room, owner: asyncpg.Connection
) -> None:
    """The masteries of the weak areas, beside those at the start, and the proposal."""
    plan = room.create()
    room.do(plan, "steps/1/complete")
    await room.hub.work()
    room.hub.node.answers["get_knowledge_state"] = {
        "concepts": [{"name": QUADRATIC, "code": "9수02-21", "mastery": 0.72}]
    }
    found = await run_check(room, plan)
    check = found["last_check"]
    assert found["checks"] == [check]
    assert [(each["start"], each["now"]) for each in check["areas"]] == [(0.65, 0.72), (0.7, None)]
    assert (check["proposal"], check["reasons"]) == ("continue", ["on_the_way"])
    told = await owner.fetch("SELECT recipients FROM notices WHERE template = 'progress_checked'")
    assert [row["recipients"] for row in told] == [["teacher"]]
    task = plan["scheduled_tasks"][0]["task_id"]
    runs = room.http.get(f"/v1/tasks/{task}/runs").json()["runs"]
    assert [run["outcome"] for run in runs] == ["done"]


async def test_a_fall_is_escalated(room: Room, owner: asyncpg.Connection) -> None:
    """With a message of its own kind."""
    plan = room.create()
    await room.hub.work()
    room.hub.node.answers["get_knowledge_state"] = {
        "concepts": [{"name": QUADRATIC, "code": "9수02-21", "mastery": 0.5}]
    }
    found = await run_check(room, plan)
    assert found["last_check"]["proposal"] == "escalate"
    assert found["last_check"]["reasons"] == ["mastery_fell", "not_begun"]
    assert await owner.fetchval("SELECT count(*) FROM notices WHERE template = 'escalation'") == 1


async def test_a_check_waits_for_node_1(room: Room, owner: asyncpg.Connection) -> None:
    """A node that is away costs no check: it is made when the node is back."""
    plan = room.create()
    await room.hub.work()
    good = room.hub.node.answers.pop("get_knowledge_state")
    assert (await run_check(room, plan))["checks"] == []
    room.hub.node.answers["get_knowledge_state"] = good
    await owner.execute("UPDATE jobs SET not_before = now() WHERE finished_at IS NULL")
    await room.hub.work()
    assert len(room.read(plan)["checks"]) == 1


async def test_a_plan_over_its_time_is_told_once_a_day(
    room: Room, owner: asyncpg.Connection
) -> None:
    """By the hourly look at all plans, however often it runs; not of one that is paused or over."""
    plans = [room.create(duration_days=days) for days in (3, 4, 5)]
    room.do(plans[1], "pause")
    await room.hub.work()
    await owner.execute("UPDATE interventions SET ends_at = now() - interval '1 hour'")
    overdue = "SELECT event FROM notices WHERE template = 'intervention_overdue'"
    sweep = {"task_type": "progress_check", "schedule_type": "interval", "interval_seconds": 3600}
    task = room.http.post("/v1/tasks", json=sweep).json()["task_id"]
    for _ in range(2):
        assert room.http.post(f"/v1/tasks/{task}/run-now").is_success
        await room.hub.work()
    events = [row["event"].split(":")[-1] for row in await owner.fetch(overdue)]
    assert sorted(events) == sorted(plans[at]["intervention_id"] for at in (0, 2))
    await owner.execute(
        "UPDATE interventions SET overdue_told_at = overdue_told_at - interval '25 hours'"
    )
    await owner.execute("DELETE FROM jobs WHERE kind = 'tell_overdue'")
    assert room.http.post(f"/v1/tasks/{task}/run-now").is_success
    await room.hub.work()
    assert len(await owner.fetch(overdue)) == 2, "the same day it is the same notice"
