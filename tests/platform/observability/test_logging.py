"""What reaches the log, and in what form."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from student_hub.platform.observability.logging import configure_logging

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
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger().info("profile_fetched", cached=True, note="가")
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
