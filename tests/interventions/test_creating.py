"""Plans are made once, whole, by every door; what stands in the way is said, and nothing stored."""

import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest

from planning import PATH, WEAK, Room, stored

TOOL = "create_learning_intervention"
CLASS = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
OTHER = {**CLASS, "class_name": "2반"}
HOMEROOM = {"relation": "homeroom"}


@pytest.mark.requirement("intervention-create")
async def test_a_plan_is_stored_with_its_check_its_event_and_its_first_job(
    room: Room, owner: asyncpg.Connection
) -> None:
    """All of it in the answer's shape; the check is due in seven days."""
    plan = room.create()
    assert plan["intervention_id"].startswith("INT_")
    assert plan["status"] == "active"
    assert [area["concept"] for area in plan["weak_areas"]] == ["이차함수와 그래프", "제곱근"]
    assert plan["weak_areas"][1]["target_mastery"] == 0.85
    assert [step["activity"] for step in plan["learning_path"]] == [
        "review_concept",
        "practice",
        "practice",
    ]
    assert plan["learning_path"][0]["why"] == {"untrusted_text": "선수 개념, 숙달도 0.65 (n=12)"}
    assert [task["type"] for task in plan["scheduled_tasks"]] == ["progress_check"]
    assert plan["scheduled_tasks"][0]["task_id"].startswith("TASK_")
    days = "SELECT round(extract(epoch FROM run_at - created_at) / 86400) FROM scheduled_tasks"
    assert await owner.fetchval(f"{days} WHERE student_id IS NOT NULL") == 7
    assert await stored(owner) == {
        "interventions": 1,
        "intervention_calls": 1,
        "intervention_notes": 0,
        "scheduled_tasks": 1,
        "learning_history": 1,
        "notices": 0,
        "jobs": 1,
    }


@pytest.mark.requirement("intervention-create")
def test_a_short_plan_is_checked_at_its_end(room: Room) -> None:
    """Earlier than in seven days, when it does not last so long."""
    plan = room.create(duration_days=3)
    assert plan["scheduled_tasks"][0]["scheduled_at"] == plan["ends_at"]


@pytest.mark.requirement("intervention-workflow")
async def test_the_workflow_tells_measures_and_settles_each_once(
    room: Room, owner: asyncpg.Connection
) -> None:
    """A chain of jobs, each put by the one before; working twice changes nothing."""
    plan = room.create()
    for _ in range(2):
        await room.hub.work()
    kinds = await owner.fetch(
        "SELECT kind FROM jobs WHERE finished_at IS NOT NULL AND NOT failed "
        "AND payload ? 'intervention_id' ORDER BY id"
    )
    assert [row["kind"] for row in kinds] == [
        "tell_of_intervention",
        "refresh_analytics",
        "measure_abilities",
        "settle_progress_check",
    ]
    notices = await owner.fetch("SELECT event, template, recipients FROM notices")
    assert [(row["event"], row["template"]) for row in notices] == [
        (f"intervention-created:{plan['intervention_id']}", "intervention_created")
    ]
    assert set(notices[0]["recipients"]) == {"student", "parents", "teacher"}


@pytest.mark.requirement("intervention-create", "profile-sections")
def test_a_profile_shows_the_plan_at_once_and_no_longer_when_it_is_over(room: Room) -> None:
    """Also out of the cache: what changes the plan makes the profile stale."""
    assert room.profile()["active_interventions"] == []
    assert room.profile()["cached"] is True
    plan = room.create()
    shown = room.profile()["active_interventions"]
    assert [each["intervention_id"] for each in shown] == [plan["intervention_id"]]
    assert shown[0]["progress"] == {"completed": 0, "total": 3}
    assert room.profile()["cached"] is True
    assert room.do(plan, "pause").status_code == 200
    assert room.profile()["active_interventions"][0]["status"] == "paused"
    assert room.do(plan, "cancel").status_code == 200
    assert room.profile()["active_interventions"] == []


@pytest.mark.requirement("intervention-doors")
def test_every_door_makes_the_same_plan(room: Room) -> None:
    """The tool over /mcp and /rpc, and REST: the same call, so the same answer."""
    wish = room.wish(idempotency_key="one")
    first = room.http.post("/v1/interventions", json=wish).json()
    assert room.rpc(wish, TOOL)["result"] == first
    answer = room.mcp(wish, TOOL)["result"]
    assert answer["structuredContent"] == first
    assert not answer["isError"]


@pytest.mark.requirement("intervention-once")
def test_the_same_call_gives_the_first_answer(room: Room) -> None:
    """With a key at any time, without one within ten minutes; whatever became of the plan."""
    first = room.create(idempotency_key="k")
    assert room.do(first, "cancel").status_code == 200
    assert room.create(idempotency_key="k") == first
    second = room.create()
    assert second["intervention_id"] != first["intervention_id"]
    assert room.create() == second
    assert room.create(duration_days=15)["intervention_id"] != second["intervention_id"]


@pytest.mark.requirement("intervention-once")
async def test_without_a_key_ten_minutes_later_it_is_another_call(
    room: Room, owner: asyncpg.Connection
) -> None:
    """And then that one is the one to be repeated."""
    first = room.create()
    await owner.execute("UPDATE intervention_calls SET at = at - interval '10 minutes 1 second'")
    second = room.create()
    assert second["intervention_id"] != first["intervention_id"]
    assert room.create() == second


@pytest.mark.requirement("intervention-once")
def test_a_key_is_its_callers_own_and_stands_for_its_arguments(room: Room) -> None:
    """Another caller's same key is another call; other arguments are a conflict, -32005."""
    first = room.create(idempotency_key="k")
    other = room.wish(idempotency_key="k", duration_days=7)
    refused = room.http.post("/v1/interventions", json=other)
    assert (refused.status_code, refused.json()["code"]) == (409, -32005)
    with room.hub.client(room.key_of("service", ["read", "plan"])) as service:
        answer = service.post("/v1/interventions", json=other)
    assert answer.status_code == 201
    assert answer.json()["intervention_id"] != first["intervention_id"]


@pytest.mark.requirement("intervention-once", "no-leaks")
def test_a_key_that_was_used_for_one_who_is_seen_no_more_is_a_conflict(room: Room) -> None:
    """Not an error of the hub; and nothing is planned."""
    other = room.enrol(class_name="2반")
    key = room.key_of("teacher", ["read", "plan"], **CLASS, **HOMEROOM)
    grants = room.http.get("/admin/grants").json()["grants"]
    teacher = next(each for each in grants if each["class_name"] == "1반")
    room.http.post("/admin/grants", json={"subject": teacher["subject"], **OTHER, **HOMEROOM})
    with room.hub.client(key) as http:
        first = http.post("/v1/interventions", json=room.wish(idempotency_key="k"))
        assert first.status_code == 201
        assert room.http.delete(f"/admin/grants/{teacher['id']}").is_success
        wish = room.wish(idempotency_key="k", student_id=other)
        again = http.post("/v1/interventions", json=wish)
        assert (again.status_code, again.json()["code"]) == (409, -32005)
        listed = http.get("/v1/interventions").json()["interventions"]
    assert listed == []


@pytest.mark.requirement("intervention-once")
async def test_many_callers_at_once_make_one_plan_for_each_key(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Twenty keys, each sent ten times at the same moment: twenty plans, and all know theirs."""
    headers = {"X-API-Key": room.hub.key}
    async with httpx2.AsyncClient(base_url=room.hub.url, headers=headers, timeout=60) as http:

        async def create(key: int) -> tuple[int, str]:
            answer = await http.post("/v1/interventions", json=room.wish(idempotency_key=f"k{key}"))
            return key, answer.json()["intervention_id"]

        answers = await asyncio.gather(*(create(key) for key in range(20) for _ in range(10)))
    assert len(set(answers)) == len({key for key, _ in answers}) == 20
    assert (await stored(owner))["interventions"] == 20


def _step(number: int, **step: object) -> dict[str, object]:
    return {"learning_path": [{**PATH["learning_path"][0], "step": number, **step}]}


BROKEN: dict[str, tuple[str, object]] = {
    "node 2 knows no such tool": ("analyze_weak_areas", None),
    "node 2 says nonsense": ("analyze_weak_areas", {"weak_areas": "many"}),
    "node 2 tells of another student": (
        "analyze_weak_areas",
        {**WEAK, "student_id": "00000000-0000-4000-8000-000000000000"},
    ),
    "node 2 has a mastery of two": (
        "analyze_weak_areas",
        {"weak_areas": [{"concept": "x", "current_mastery": 2}]},
    ),
    "node 3 knows no such tool": ("generate_learning_path", None),
    "node 3 has no step": ("generate_learning_path", {"learning_path": []}),
    "node 3 counts from two": ("generate_learning_path", _step(2)),
    "node 3 wants minus one problem": ("generate_learning_path", _step(1, num_problems=-1)),
    "node 3 answers with text": ("generate_learning_path", "ok"),
}


@pytest.mark.requirement("intervention-refused")
@pytest.mark.parametrize("name", BROKEN)
async def test_a_node_that_fails_leaves_nothing(
    room: Room, owner: asyncpg.Connection, name: str
) -> None:
    """-32001 with the node, its tool and the reason; and the call may come again."""
    tool, answer = BROKEN[name]
    good = room.hub.node.answers[tool]
    room.hub.node.answers[tool] = answer
    refused = room.http.post("/v1/interventions", json=room.wish())
    assert refused.json()["code"] == -32001, refused.text
    facts = refused.json()["data"]
    assert (facts["tool"], facts["reason"] in {"error", "invalid"}) == (tool, True)
    assert set((await stored(owner)).values()) == {0}
    room.hub.node.answers[tool] = good
    assert room.create()["status"] == "active"


@pytest.mark.requirement("intervention-refused")
@pytest.mark.parametrize(
    ("overall", "code", "words"), [(0.9, -32005, "reached already"), (None, -32005, "Nothing is")]
)
async def test_where_there_is_nothing_to_plan_it_is_said(
    room: Room, owner: asyncpg.Connection, overall: float | None, code: int, words: str
) -> None:
    """A target that is reached, and a student of whom nothing is known, are told apart."""
    room.hub.node.answers["analyze_weak_areas"] = {"weak_areas": []}
    room.hub.node.answers["get_mastery_level"] = {"overall": overall, "by_subject": {}}
    refused = room.http.post("/v1/interventions", json=room.wish())
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert words in refused.json()["detail"]
    assert set((await stored(owner)).values()) == {0}


@pytest.mark.requirement("intervention-refused", "bad-input")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("student_id", "김철수"),
        ("type", "automatic"),
        ("target_level", 0),
        ("target_level", 1.01),
        ("duration_days", 0),
        ("duration_days", 366),
        ("duration_days", 1.5),
        ("focus_areas", []),
        ("focus_areas", ["없는 개념"]),
        ("focus_areas", ["x" * 101]),
        ("idempotency_key", ""),
        ("idempotency_key", "두 주"),
        ("weeks", 2),
    ],
)
async def test_bad_input_names_its_field_by_every_door(
    room: Room, owner: asyncpg.Connection, field: str, value: object
) -> None:
    """-32602 over REST, /rpc and as a tool's error, and nothing is done."""
    wish = room.wish(**{field: value})
    errors = [
        room.http.post("/v1/interventions", json=wish).json(),
        room.rpc(wish, TOOL)["error"],
        room.mcp(wish, TOOL)["result"]["structuredContent"],
    ]
    assert [error["code"] for error in errors] == [-32602] * 3
    assert all(field in str(error) for error in errors)
    assert set((await stored(owner)).values()) == {0}


@pytest.mark.requirement("intervention-doors", "no-leaks")
def test_who_may_plan_for_whom(room: Room) -> None:
    """A teacher of the class with the scope; to any other the student is not there."""
    body = room.wish()
    absent = "00000000-0000-4000-8000-000000000000"
    cases = {
        (201, None): room.key_of("teacher", ["read", "plan"], **CLASS, **HOMEROOM),
        (403, -32003): room.key_of("teacher", ["read"], **CLASS, **HOMEROOM),
        (404, -32002): room.key_of("teacher", ["read", "plan"], **OTHER, **HOMEROOM),
    }
    for (status, code), key in cases.items():
        with room.hub.client(key) as http:
            answer = http.post("/v1/interventions", json=body)
            nobody = http.post("/v1/interventions", json={**body, "student_id": absent})
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        assert nobody.status_code in {403, 404}
        if status == 404:
            assert _bare(answer.json()) == _bare(nobody.json())
    with room.hub.client(room.key_of("parent", ["read"])) as parent:
        assert parent.post("/v1/interventions", json=body).status_code == 403


def _bare(error: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in error.items() if name != "request_id"}


@pytest.mark.requirement("processing-stopped", "intervention-refused")
async def test_nothing_is_planned_for_whom_nothing_may_be_processed(
    room: Room, owner: asyncpg.Connection
) -> None:
    """No node is asked, and it is said why."""
    stop = {"state": "stopped", "reason": "요청"}
    room.http.put(f"/v1/students/{room.student}/processing", json=stop).raise_for_status()
    seen = len(room.hub.node.seen)
    refused = room.http.post("/v1/interventions", json=room.wish())
    assert (refused.status_code, refused.json()["code"]) == (409, -32005)
    assert len(room.hub.node.seen) == seen
    assert (await stored(owner))["interventions"] == 0


@pytest.mark.requirement("intervention-create")
def test_focus_is_put_on_the_areas_that_are_named(room: Room) -> None:
    """By name or code; one that is weak by node 1 alone is planned too, a mastered one is not."""
    named = room.create(focus_areas=["9수01-07"])
    assert [area["concept"] for area in named["weak_areas"]] == ["제곱근"]
    room.hub.node.answers["get_knowledge_state"] = {
        "concepts": [{"name": "집합", "code": "10공수2-02-01", "mastery": 0.8}]
    }
    known = room.create(focus_areas=["[집합]", "제곱근"])
    assert [area["concept"] for area in known["weak_areas"]] == ["집합", "제곱근"]
    refused = room.http.post(
        "/v1/interventions", json=room.wish(focus_areas=["집합"], target_level=0.75)
    )
    assert "reached already" in refused.json()["detail"]


FAILS = """
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'planted'; END $$
"""


@pytest.mark.requirement("intervention-once", "transactions")
@pytest.mark.parametrize(
    "table",
    [
        "interventions",
        "intervention_calls",
        "scheduled_tasks",
        "event_keys",
        "jobs",
        "student_generations",
        "audit_inbox",
    ],
)
async def test_a_failure_at_any_table_leaves_none_of_it(
    room: Room, owner: asyncpg.Connection, table: str
) -> None:
    """One transaction: what fails at one point is nowhere, and the call can be made again."""
    await owner.execute(FAILS)
    await owner.execute(
        f"CREATE TRIGGER planted BEFORE INSERT OR UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    assert room.http.post("/v1/interventions", json=room.wish()).status_code == 500
    assert set((await stored(owner)).values()) == {0}
    await owner.execute(f"DROP TRIGGER planted ON {table}")
    room.create()
    counts = await stored(owner)
    assert (counts["interventions"], counts["scheduled_tasks"], counts["jobs"]) == (1, 1, 1)
