"""How the HTTP door says what went wrong."""

import pytest
from dirty_equals import IsPartialDict, IsStr

from doorway import KNOWN, UNKNOWN, Running
from student_hub.platform.codes import code_of
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import HubError, Kind
from student_hub.platform.http.problems import problem, status_of

pytestmark = pytest.mark.requirement("rest-problems", "bad-input")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_error_has_a_status_and_the_platforms_code(kind: Kind) -> None:
    """No kind falls through the tables, and its problem details carry both numbers."""
    error = type("SomethingWrong", (HubError,), {"kind": kind, "__doc__": "It went wrong."})()
    answer = problem({"state": {"request_id": "r-1"}}, error)
    assert answer.status_code == status_of(kind)
    assert answer.media_type == "application/problem+json"
    assert 400 <= answer.status_code < 600
    assert code_of(kind) in {-32603, -32602, -32001, -32002, -32003, -32004, -32005}
    assert b"something-wrong" in answer.body
    assert b"r-1" in answer.body


def test_a_rate_limit_says_when_to_come_back() -> None:
    """429 carries Retry-After, and the same number in its data."""
    limited = type("Limited", (HubError,), {"kind": Kind.RATE_LIMITED, "__doc__": "Too many."})
    answer = problem({}, limited(retry_after=7))
    assert answer.headers["retry-after"] == "7"
    assert b'"data":{"retry_after":7}' in answer.body


def test_a_database_that_is_away_says_when_to_come_back() -> None:
    """503 and Retry-After; the code is not the one that tells of a node."""
    answer = problem({}, DatabaseAway())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert b'"code":-32603' in answer.body


async def test_a_student_who_does_not_exist_is_a_404_with_the_code(hub: Running) -> None:
    """An error of a room reaches the client as problem details with its facts."""
    async with hub.client() as client:
        answer = await client.get(f"/v1/echo/{UNKNOWN}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:student-hub:problem:nobody-there",
        "title": "Not Found",
        "status": 404,
        "detail": f"There is no student {UNKNOWN}.",
        "code": -32002,
        "data": {"student_id": str(UNKNOWN)},
        "request_id": IsStr(min_length=8),
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/echo/not-a-uuid", "student_id"),
        (f"/v1/echo/{KNOWN}?days=0", "days"),
        (f"/v1/echo/{KNOWN}?days=366", "days"),
        (f"/v1/echo/{KNOWN}?days=thirty", "days"),
    ],
)
async def test_a_bad_parameter_is_named(hub: Running, path: str, field: str) -> None:
    """422 lists the field that is wrong."""
    async with hub.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json() == IsPartialDict(code=-32602, type="urn:student-hub:problem:invalid-input")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_all_wrong_fields_of_a_body_are_named_at_once(hub: Running) -> None:
    """A client mends everything in one round."""
    async with hub.client() as client:
        answer = await client.post("/v1/echo", json={"text": "long " * 9, "weight": "x", "z": 1})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"text", "weight", "z"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/v1/echo", 405),
        ("GET", "/rpc", 405),
        ("GET", "/mcp", 405),
        ("DELETE", "/mcp", 405),
    ],
)
async def test_what_is_not_there_is_said_in_the_same_shape(
    hub: Running, method: str, path: str, status: int
) -> None:
    """An unknown path and a wrong method are errors like any other, with the platform's code."""
    async with hub.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    said = answer.json().get("error", answer.json())
    assert said["code"] == -32601


async def test_an_unforeseen_failure_is_a_bare_500(hub: Running) -> None:
    """The client learns where to look in the log, and nothing of what broke."""
    async with hub.client() as client:
        answer = await client.post("/v1/echo/break")
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
