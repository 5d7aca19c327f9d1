"""Quiet hours: to the second, in the reader's zone; deferred, never dropped."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from factories import a_student
from fakes.mailserver import Sink
from notification_stage import Room, a_notice, by_mail
from student_hub.entry.stack.errors import StackError
from student_hub.entry.usable import require_usable
from student_hub.notifications.quiet import QuietHours, next_digest
from student_hub.notifications.schemas import State
from student_hub.platform.settings import Settings

pytestmark = pytest.mark.requirement("quiet-hours")
SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = QuietHours.of("21:00-08:00 Asia/Seoul")


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-26T20:59:59", "2026-11-26T20:59:59"),
        ("2026-11-26T21:00:00", "2026-11-27T08:00:00"),
        ("2026-11-27T00:00:00", "2026-11-27T08:00:00"),
        ("2026-11-27T07:59:59.999999", "2026-11-27T08:00:00"),
        ("2026-11-27T08:00:00", "2026-11-27T08:00:00"),
        ("2026-12-31T23:30:00", "2027-01-01T08:00:00"),
    ],
)
def test_the_night_of_seoul_has_exact_ends(now: str, due: str) -> None:
    """One second before nine it goes out; at nine it waits for eight."""
    assert NIGHT is not None
    assert NIGHT.next_time(seoul(now).astimezone(UTC)) == seoul(due)


def test_hours_within_a_day_and_in_other_zones() -> None:
    """A reader in New York sleeps at other times, and their clock jumps twice a year."""
    noon = QuietHours.of("12:00-13:00 Asia/Seoul")
    abroad = QuietHours.of("21:00-08:00 America/New_York")
    assert noon is not None
    assert abroad is not None
    assert noon.next_time(seoul("2026-11-26T12:30:00")) == seoul("2026-11-26T13:00:00")
    late = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)  # 22:00 EDT, the clock goes back that night
    assert abroad.next_time(late) == datetime(2026, 11, 1, 13, 0, tzinfo=UTC)
    assert QuietHours.of("off") is None


@pytest.mark.parametrize("text", ["", "21-8", "21:00-21:00 Asia/Seoul", "21:00-08:00 Mars/Base"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    """At the start of the hub, and where a reader stores them."""
    with pytest.raises(ValueError, match=r"is not|begins|names"):
        QuietHours.of(text)


@pytest.mark.parametrize(
    ("often", "due"),
    [
        ("daily", "2026-11-27T08:00:00"),
        ("weekly", "2026-11-30T08:00:00"),
        ("monthly", "2026-12-01T08:00:00"),
    ],
)
def test_collected_reports_go_out_in_the_morning(often: str, due: str) -> None:
    """Of the next day, Monday, or first of the month."""
    assert next_digest(seoul("2026-11-26T12:00:00"), often, SEOUL) == seoul(due)


@pytest.mark.parametrize(
    "given",
    [
        {"quiet_hours": "at night"},
        {"smtp_url": "http://mail.example.org"},
        {"mail_from": "nobody"},
        {"webhook_secret": "short"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(given: dict[str, str]) -> None:
    """In a sentence that names the setting, without its value where that is a secret."""
    with pytest.raises(StackError, match=next(iter(given)).upper()) as caught:
        require_usable(Settings.model_validate(given))
    assert "short" not in str(caught.value)


async def test_a_message_of_the_night_goes_out_in_the_morning(room: Room, sink: Sink) -> None:
    """Also when its job is run too early, and also when it was told by day and is late."""
    student = await a_student(room.students, **by_mail())
    room.now = seoul("2030-11-28T21:00:00").astimezone(UTC)
    await room.notify(a_notice(student.id))
    assert await room.workshop_at_once() == 0
    row = await room.only()
    assert (row.state, row.due_at) == (State.PENDING, seoul("2030-11-29T08:00:00"))
    room.now = row.due_at
    await room.work()
    assert len(sink.kept) == 1


async def test_a_job_that_runs_in_the_night_waits_for_the_morning(room: Room, sink: Sink) -> None:
    """A worker that was away all evening wakes nobody."""
    student = await a_student(room.students, **by_mail())
    await room.notify(a_notice(student.id))
    room.now = seoul("2030-11-28T23:00:00").astimezone(UTC)
    assert await room.workshop_at_once() == 1
    row = await room.only()
    assert (row.state, row.due_at, row.tries) == (State.PENDING, seoul("2030-11-29T08:00:00"), 0)
    assert sink.kept == []


async def test_what_is_critical_does_not_wait(room: Room, sink: Sink) -> None:
    """At any hour."""
    student = await a_student(room.students, **by_mail())
    room.now = seoul("2030-11-28T23:00:00").astimezone(UTC)
    await room.notify(a_notice(student.id, critical=True))
    await room.workshop_at_once()
    assert len(sink.kept) == 1
