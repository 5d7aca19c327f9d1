"""Which steps events show to be done, by the rules; and plans that move with their events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from planning import Room
from student_hub.history.schemas import Event
from student_hub.interventions.progress import shown_done
from student_hub.interventions.schemas import Step

pytestmark = pytest.mark.requirement("intervention-progress")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUADRATIC, ROOT = "9수02-21", "9수01-07"
ANSWER: dict[str, JsonValue] = {
    "action": "solved_problem",
    "problem_id": "p",
    "result": "incorrect",
}


def event(number: int, **content: JsonValue) -> Event:
    return Event(
        id=number,
        student_id="00000000-0000-4000-8000-000000000001",  # type: ignore[arg-type]
        event_type="study",
        source_node=4,
        source_id=str(number),
        occurred_at=NOON + timedelta(minutes=number),
        content=content,
    )


def answers(*concepts: str) -> list[Event]:
    return [event(at, **ANSWER, concepts=[name]) for at, name in enumerate(concepts)]


def done(steps: Sequence[Step], events: Sequence[Event]) -> list[str]:
    """The numbers of the steps that are done."""
    return sorted(shown_done(steps, {}, events))


REVIEW = Step(step=1, activity="review_concept", code=QUADRATIC, estimated_duration=1_200)
PRACTICE = Step(step=2, activity="practice", code=QUADRATIC, concept="이차함수", num_problems=3)
AGAIN = Step(step=3, activity="practice", code=QUADRATIC, num_problems=2)
MIXED = Step(step=4, activity="mixed_review", codes=[QUADRATIC, ROOT], num_problems=2)
OF_SET = Step(step=5, activity="practice", problem_set_id="PS_456", num_problems=1)
TALK = Step(step=6, activity="talk", code=QUADRATIC)


@pytest.mark.parametrize(
    ("steps", "events", "expected"),
    [
        ([PRACTICE], answers(QUADRATIC, QUADRATIC), []),
        ([PRACTICE], answers(QUADRATIC, QUADRATIC, QUADRATIC), ["2"]),
        ([PRACTICE], answers("이차함수", "이차함수", " 이차함수 "), ["2"]),
        ([PRACTICE], answers("[9수02-21]", QUADRATIC, ROOT), []),
        ([PRACTICE, AGAIN], answers(*[QUADRATIC] * 4), ["2"]),
        ([PRACTICE, AGAIN], answers(*[QUADRATIC] * 5), ["2", "3"]),
        ([MIXED], answers(QUADRATIC, ROOT), ["4"]),
        ([PRACTICE, MIXED], answers(ROOT, QUADRATIC, ROOT), ["4"]),
        ([OF_SET], [event(1, **ANSWER, problem_set_id="PS_456")], ["5"]),
        ([OF_SET], [event(1, **ANSWER, problem_set_id="PS_457")], []),
        ([REVIEW], [event(1, action="read", concepts=[QUADRATIC], time_spent=599)], []),
        (
            [REVIEW],
            [event(n, action="read", concepts=[QUADRATIC], time_spent=300) for n in (1, 2)],
            ["1"],
        ),
        ([REVIEW], [event(1, action="reviewed_concept", concept=QUADRATIC)], ["1"]),
        ([REVIEW], answers(*[QUADRATIC] * 9), []),
        ([TALK], answers(*[QUADRATIC] * 9), []),
        ([PRACTICE], [event(1, action="solved_problem", concepts="9수02-21")], []),
        ([REVIEW], [event(1, action="read", concepts=[QUADRATIC], time_spent="long")], []),
    ],
)
def test_the_rules(steps: list[Step], events: list[Event], expected: list[str]) -> None:
    """An answer counts once, for the first open step that it fits; odd content counts for none."""
    assert done(steps, events) == expected


def test_a_step_is_done_when_its_last_answer_was_given() -> None:
    """Not when somebody looked; and what a person marked stays as they marked it."""
    by_hand = {"3": {"at": NOON.isoformat(), "by": "teacher:kim"}}
    marks = shown_done([PRACTICE, AGAIN], by_hand, answers(*[QUADRATIC] * 5))
    assert marks["2"] == {"at": (NOON + timedelta(minutes=2)).isoformat(), "by": "events"}
    assert marks["3"] == by_hand["3"]


def solved(room: Room, how_many: int, code: str) -> list[str]:
    content: dict[str, Any] = {**ANSWER, "concepts": [code]}
    return room.post(*[content] * how_many)


async def test_a_plan_moves_with_its_events_and_ends_with_the_last_step(room: Room) -> None:
    """Answers from before it count for nothing; a job looks at it, and the profile shows it."""
    solved(room, 5, QUADRATIC)
    plan = room.create()
    await room.hub.work()
    assert room.read(plan)["progress"] == {"completed": 0, "total": 3}
    solved(room, 3, QUADRATIC)
    await room.hub.work()
    now = room.read(plan)
    assert (now["progress"]["completed"], now["learning_path"][1]["done_by"]) == (1, "events")
    assert room.profile()["active_interventions"][0]["progress"]["completed"] == 1
    room.post({"action": "reviewed_concept", "concepts": [QUADRATIC]})
    room.post(*[{**ANSWER, "concepts": ["제곱근"]}] * 2)
    await room.hub.work()
    over = room.read(plan)
    assert (over["status"], over["progress"]["completed"]) == ("completed", 3)
    assert over["ended_at"] is not None


async def test_an_event_that_is_voided_takes_its_step_back(room: Room) -> None:
    """As long as the plan is under way; what a person marked stays."""
    plan = room.create()
    ids = solved(room, 3, QUADRATIC)
    room.do(plan, "steps/1/complete")
    await room.hub.work()
    assert room.read(plan)["progress"]["completed"] == 2
    key = {"source_node": 4, "source_id": ids[0]}
    assert room.http.post("/v1/events/void", json=key).status_code == 200
    await room.hub.work()
    left = room.read(plan)
    assert [step["done_by"] for step in left["learning_path"]] == ["key:administrator", None, None]


async def test_a_paused_plan_stands_still(room: Room) -> None:
    """And catches up with what happened meanwhile at the next event after it was resumed."""
    plan = room.create()
    room.do(plan, "pause")
    solved(room, 3, QUADRATIC)
    await room.hub.work()
    assert room.read(plan)["progress"]["completed"] == 0
    room.do(plan, "resume")
    solved(room, 1, ROOT)
    await room.hub.work()
    assert room.read(plan)["progress"]["completed"] == 1


async def test_who_has_no_plan_costs_no_job(room: Room) -> None:
    """Events of students without a plan are not followed."""
    other = room.enrol()
    room.create()
    await room.hub.work()
    before = room.http.get("/admin/jobs", params={"kind": "move_progress"}).json()["jobs"]
    room.post({**ANSWER, "concepts": [QUADRATIC]}, student=other)
    after = room.http.get("/admin/jobs", params={"kind": "move_progress"}).json()["jobs"]
    assert len(after) == len(before)
