"""What reaches the log, and in what form."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from student_hub.platform.db.database import Database
from student_hub.platform.observability.logging import REQUEST_ID, configure_logging

pytestmark = pytest.mark.requirement("logs-without-persons")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Event, level, time in UTC, the request's id, and what was said; Korean stays readable."""
    configure_logging("info", "json")
    token = REQUEST_ID.set("r-1")
    structlog.get_logger().info("profile_fetched", cached=True, note="가")
    REQUEST_ID.reset(token)
    (line,) = lines(capsys)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "event": "profile_fetched",
        "level": "info",
        "request_id": "r-1",
        "cached": True,
        "note": "가",
    }


def test_personal_data_and_keys_are_removed_whoever_logs_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A slip in a room does not become a leak."""
    configure_logging("info", "json")
    structlog.get_logger().info("slip", name="김철수", email="a@b.kr", api_key="shk_live_x")
    text = capsys.readouterr().err
    assert "김철수" not in text
    assert "a@b.kr" not in text
    assert "shk_live_x" not in text
    assert text.count("[removed]") == 3


def test_libraries_speak_in_the_same_form_and_below_the_level_not_at_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lines of the standard library's logging become JSON too."""
    configure_logging("warning", "json")
    logging.getLogger("some.library").warning("it %s", "broke")
    logging.getLogger("some.library").info("chatter")
    structlog.get_logger().info("chatter")
    assert [line["event"] for line in lines(capsys)] == ["it broke"]


def test_the_console_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """A trace for people has the lines of code, not what the variables held."""
    configure_logging("info", "console")
    held = "김철수"
    try:
        int("x" * len(held))
    except ValueError:
        structlog.get_logger().exception("request_failed")
    text = capsys.readouterr().err
    assert "ValueError" in text
    assert held not in text


def test_an_exception_is_logged_with_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """What the client is not told stands in the log."""
    configure_logging("info", "json")
    try:
        int("the cause")
    except ValueError:
        structlog.get_logger().exception("request_failed")
    (line,) = lines(capsys)
    assert "'the cause'" in str(line["exception"])


class Person(BaseModel):
    """Somebody, as a room might log them by mistake."""

    name: str
    grade: int


@dataclass
class Row:
    """A row that is about somebody."""

    email: str
    kind: str = "row"


def test_personal_data_is_removed_however_deep_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    """In dicts, lists, models and dataclasses, and under any spelling of a header."""
    configure_logging("info", "json")
    structlog.get_logger().info(
        "slip",
        student={"name": "김철수", "school": {"email": "a@b.kr"}, "grade": 10},
        rows=[{"parent_contact": "010-1234-5678"}, Row("c@d.kr")],
        person=Person(name="이영희", grade=3),
        headers={"Authorization": "Bearer shk_live_x"},
    )
    (line,) = lines(capsys)
    del line["timestamp"]
    assert line == {
        "event": "slip",
        "level": "info",
        "student": {"name": "[removed]", "school": {"email": "[removed]"}, "grade": 10},
        "rows": [{"parent_contact": "[removed]"}, {"email": "[removed]", "kind": "row"}],
        "person": {"name": "[removed]", "grade": 3},
        "headers": {"Authorization": "[removed]"},
    }


FAILING = {
    "a doubled key": "INSERT INTO noted VALUES (:value), (:value)",
    "a refused row": "INSERT INTO noted VALUES (upper(:value) || '!')",
    "not a number": "SELECT CAST(CAST(:value AS text) AS int)",
    "a wrong argument": "SELECT 1 WHERE 1 = :value",
}
PLANTED = "010-1234-5678"


async def refusal_of(database: Database, statement: str) -> DBAPIError:
    """How the database refuses the statement, which has the planted value."""
    table = "CREATE TEMPORARY TABLE noted (note text UNIQUE CHECK (note NOT LIKE '%!'))"
    with pytest.raises(DBAPIError) as caught:  # noqa: PT012 (the table lives in the transaction)
        async with database.transaction() as tx:
            await tx.session.execute(text(table))
            await tx.session.execute(text(statement), {"value": PLANTED})
    return caught.value


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("statement", FAILING.values(), ids=FAILING)
async def test_a_failing_statement_leaves_no_value_in_the_log(
    database: Database,
    capsys: pytest.CaptureFixture[str],
    statement: str,
    style: Literal["json", "console"],
) -> None:
    """Class, code and constraint are logged, by us and by libraries; never what the row held."""
    configure_logging("info", style)
    error = await refusal_of(database, statement)
    structlog.get_logger().error("job_failed", exc_info=error, reason=error)
    logging.getLogger("library").error("it broke", exc_info=error)
    said = capsys.readouterr().err
    assert PLANTED not in said
    assert said.count(type(error).__name__) >= 3
    assert said.count("test_logging.py") >= 2
    if "noted" in statement:
        assert said.count("constraint_name=") >= 2


async def test_the_row_in_the_text_of_a_library_is_taken_out(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries put exceptions into their own sentences, as text or as Python shows them."""
    configure_logging("info", "json")
    error = await refusal_of(database, FAILING["a doubled key"])
    cause = error.orig and error.orig.__cause__
    assert PLANTED in str(cause)
    logging.getLogger("library").error("task failed: %s", cause)
    logging.getLogger("library").error("task failed: %r", str(cause))
    said = capsys.readouterr().err
    assert said.count("duplicate key") == 2
    assert PLANTED not in said


UNUSABLE = {"name": ["김철수"], "grade": "이영희"}


async def test_every_cause_and_every_part_of_a_group_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A trace is no shorter than usual; a refused value is left out of it."""
    configure_logging("info", "json")
    try:
        try:
            Person.model_validate(UNUSABLE)
        except ValidationError as error:
            raise ExceptionGroup("two", [KeyError("first"), OSError("second")]) from error
    except ExceptionGroup:
        structlog.get_logger().exception("request_failed")
    (line,) = lines(capsys)
    trace = str(line["exception"])
    assert "ValidationError: ('name',): string_type; ('grade',): int_parsing" in trace
    assert "direct cause" in trace
    assert "KeyError: 'first'" in trace
    assert "OSError: second" in trace
    assert "김철수" not in trace
    assert "이영희" not in trace
