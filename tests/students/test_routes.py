"""/v1/students over HTTP, behind the hub's own layers."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx2
import pytest

from doorway import echo_app, furnished, in_process
from factories import a_student, student_fields
from student_hub.platform.db.database import Database
from student_hub.students.routes import router
from student_hub.students.service import Students


@pytest.fixture
async def client(database: Database, students: Students) -> AsyncIterator[httpx2.AsyncClient]:
    parts = furnished(database)
    parts.put(students)
    async with in_process(echo_app(parts, routers=[router])) as client:
        yield client


@pytest.mark.requirement("students-crud")
async def test_a_student_is_created_read_and_changed(client: httpx2.AsyncClient) -> None:
    """The life of a student over REST, up to their erasure."""
    created = await client.post("/v1/students", json=student_fields(name="김철수"))
    assert created.status_code == 201
    path = f"/v1/students/{created.json()['id']}"
    assert (await client.get(path)).json() == created.json()
    changed = await client.patch(path, json={"grade": 11})
    assert changed.json()["grade"] == 11
    assert (await client.get(path)).json() == changed.json()


@pytest.mark.requirement("students-crud")
async def test_a_taken_number_is_409(client: httpx2.AsyncClient, students: Students) -> None:
    """A conflict, told as a problem."""
    taken = await a_student(students)
    again = await client.post(
        "/v1/students", json=student_fields(student_number=taken.student_number)
    )
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"


@pytest.mark.requirement("students-crud", "students-search")
async def test_a_list_is_filtered_and_paged(client: httpx2.AsyncClient, students: Students) -> None:
    """Filters and cursor of the query string reach the register."""
    for _ in range(3):
        await a_student(students, class_name="2반", name="박민수")
    await a_student(students, class_name="3반", name="박민수")
    query = {"class_name": "2반", "name": "박민수", "grade": "10", "limit": "2"}
    first = (await client.get("/v1/students", params=query)).json()
    second = (await client.get("/v1/students", params={**query, "cursor": first["next"]})).json()
    assert [len(page["students"]) for page in (first, second)] == [2, 1]
    assert second["next"] is None


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "", student_fields(grade=13), "grade"),
        ("POST", "", student_fields(grade="10"), "grade"),
        ("POST", "", student_fields(pet="cat"), "pet"),
        ("GET", "/7", None, "student_id"),
        ("GET", "?limit=0", None, "limit"),
        ("GET", "?grade=x", None, "grade"),
        ("GET", "?sort=name", None, "sort"),
        ("PATCH", f"/{UUID(int=1)}", {"name": None}, "name"),
        ("POST", "/import", {"pupils": []}, "students"),
    ],
)
async def test_bad_input_names_the_field(
    client: httpx2.AsyncClient, method: str, path: str, body: object, field: str
) -> None:
    """A 4xx problem whose errors name the field, and nothing done."""
    answer = await client.request(method, f"/v1/students{path}", json=body)
    assert 400 <= answer.status_code < 500
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.requirement("students-import")
@pytest.mark.parametrize("wrapped", [True, False], ids=["an object", "a bare list"])
async def test_a_json_list_is_imported(client: httpx2.AsyncClient, wrapped: bool) -> None:
    """Good rows are stored, the bad one is named."""
    rows = [student_fields(), student_fields(grade=0), student_fields()]
    answer = await client.post("/v1/students/import", json={"students": rows} if wrapped else rows)
    receipt = answer.json()
    assert (receipt["created"], receipt["refused"]) == (2, 1)
    assert (receipt["refusals"][0]["row"], receipt["refusals"][0]["field"]) == (2, "grade")


@pytest.mark.requirement("students-import")
async def test_json_lines_are_imported_as_they_arrive(client: httpx2.AsyncClient) -> None:
    """Lines may be cut anywhere on the way; a broken one is refused by its number."""
    lines = [json.dumps(student_fields(id=str(uuid4())), ensure_ascii=False) for _ in range(20)]
    body = "\n".join([*lines[:10], "{broken", *lines[10:]]).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 37):
            yield body[start : start + 37]

    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/v1/students/import", content=pieces(), headers=headers)
    receipt = answer.json()
    assert (receipt["created"], receipt["refused"]) == (20, 1)
    assert receipt["refusals"][0]["row"] == 11
    assert "not JSON" in receipt["refusals"][0]["problem"]
