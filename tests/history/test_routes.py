"""/v1/events and a student's history over HTTP, behind the hub's own layers."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx2
import pytest

from doorway import echo_app, furnished, in_process
from factories import a_student, event, scalar
from student_hub.history.routes import router
from student_hub.history.service import MOST_EVENTS, History
from student_hub.platform.db.database import Database
from student_hub.students.service import Students

NDJSON = {"Content-Type": "application/x-ndjson"}
HISTORY = f"/v1/students/{UUID(int=1)}/history"
COUNT = "SELECT count(*) FROM learning_history"


@pytest.fixture
async def client(database: Database, history: History) -> AsyncIterator[httpx2.AsyncClient]:
    parts = furnished(database)
    parts.put(history)
    async with in_process(echo_app(parts, routers=[router])) as client:
        yield client


@pytest.mark.requirement("history-batch", "history-once")
async def test_a_batch_is_stored_once_and_its_bad_events_named(
    client: httpx2.AsyncClient, students: Students
) -> None:
    """The receipt counts the stored and repeated ones and names the field of each refused one."""
    student = await a_student(students)
    batch = [event(student.id), {**event(student.id), "source_node": 9}, event(uuid4())]
    answer = await client.post("/v1/events", json={"events": batch})
    receipt = answer.json()
    assert (answer.status_code, receipt["stored"], receipt["repeated"]) == (200, 1, 0)
    assert [(r["index"], r["field"]) for r in receipt["refused"]] == [
        (1, "source_node"),
        (2, "student_id"),
    ]
    again = (await client.post("/v1/events", json={"events": batch})).json()
    assert (again["stored"], again["repeated"]) == (0, 1)


@pytest.mark.requirement("history-batch")
async def test_events_may_come_as_json_lines(
    client: httpx2.AsyncClient, students: Students, database: Database
) -> None:
    """A broken line is refused by its index, the others are stored."""
    student = await a_student(students)
    lines = [json.dumps(event(student.id)), "{broken", json.dumps(event(student.id))]
    answer = await client.post("/v1/events", content="\n".join(lines), headers=NDJSON)
    assert [(r["index"], r["field"]) for r in answer.json()["refused"]] == [(1, "")]
    assert await scalar(database, COUNT) == 2


@pytest.mark.requirement("history-batch", "bad-input")
@pytest.mark.parametrize("lines", [True, False], ids=["JSON lines", "JSON"])
async def test_more_than_ten_thousand_events_are_refused_whole(
    client: httpx2.AsyncClient, database: Database, lines: bool
) -> None:
    """The error names the limit, and nothing is stored."""
    batch = [1] * (MOST_EVENTS + 1)
    body = "\n".join(map(str, batch)) if lines else json.dumps({"events": batch})
    headers = NDJSON if lines else {"Content-Type": "application/json"}
    answer = await client.post("/v1/events", content=body, headers=headers)
    assert answer.status_code < 500
    assert answer.json()["errors"][0]["field"] == "events"
    assert await scalar(database, COUNT) == 0


@pytest.mark.requirement("history-read", "history-void")
async def test_a_history_is_read_in_pages_without_voided_events(
    client: httpx2.AsyncClient, students: Students
) -> None:
    """What is voided is gone from the next page that is read."""
    student = await a_student(students)
    batch = [event(student.id, source_id=f"{n}") for n in range(3)]
    await client.post("/v1/events", json=batch)
    key = {"source_node": 4, "source_id": "1"}
    assert (await client.post("/v1/events/void", json=key)).status_code == 200
    path = f"/v1/students/{student.id}/history"
    first = (await client.get(path, params={"limit": "1"})).json()
    rest = (await client.get(path, params={"before": first["next"]})).json()
    met = [stored["source_id"] for page in (first, rest) for stored in page["events"]]
    assert sorted(met) == ["0", "2"]


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/students/7/history", "student_id"),
        (f"/v1/students/{UUID(int=1)}/history?days=0", "days"),
        (f"/v1/students/{UUID(int=1)}/history?event_type=party", "event_type"),
        (f"{HISTORY}?before=2026-01-01T00:00:00Z_99999999999999999999", "before"),
        (f"{HISTORY}?before=2026-01-01T00:00:00Z_-1", "before"),
        (f"{HISTORY}?before=0001-01-01T00:00:00%2B09:00_1", "before"),
        (f"{HISTORY}?before=9999-12-31T23:59:59-09:00_1", "before"),
    ],
)
async def test_a_bad_question_names_the_field(
    client: httpx2.AsyncClient, path: str, field: str
) -> None:
    """A 4xx problem whose errors name the field."""
    answer = await client.get(path)
    assert 400 <= answer.status_code < 500
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("body", [b"", b"null", b"5", b'{"events": 5}', b'{"event": []}'])
async def test_a_body_that_is_no_batch_says_what_is_wanted(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    """Neither a crash nor an empty receipt."""
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/events", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert "events" in answer.json()["detail"]


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("path", [f"/v1/students/{UUID(int=1)}/history"])
async def test_the_history_of_nobody_is_404(client: httpx2.AsyncClient, path: str) -> None:
    """An unknown student is not an empty history."""
    assert (await client.get(path)).status_code == 404
