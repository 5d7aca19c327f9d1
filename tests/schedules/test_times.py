"""When schedules fire: local times, changes of the clocks, and what was missed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from student_hub.schedules.cron import Cron
from student_hub.schedules.times import Calendar, Every, Once, count, next_times

pytestmark = pytest.mark.requirement("cron")

MINUTE = timedelta(minutes=1)
ZONES = (
    "Asia/Seoul",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Havana",
    "Atlantic/Azores",
    "America/St_Johns",
    "Pacific/Apia",
    "Asia/Beirut",
)


def calendar(text: str, zone: str = "Asia/Seoul") -> Calendar:
    return Calendar(Cron.parse(text), ZoneInfo(zone))


def local(times: list[datetime], zone: str) -> list[str]:
    return [f"{at.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for at in times]


def test_nine_in_the_morning_is_nine_in_seoul() -> None:
    """Midnight in UTC, and not nine o'clock there."""
    first = calendar("0 9 * * *").after(datetime(2026, 1, 9, 0, 0, tzinfo=UTC))
    assert first == datetime(2026, 1, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 2 * * *", ["07 02:30-0500", "08 03:00-0400", "09 02:30-0400"]),
        ("0,30 2 * * *", ["07 02:00-0500", "07 02:30-0500", "08 03:00-0400"]),
        ("0 2,3 * * *", ["07 02:00-0500", "07 03:00-0500", "08 03:00-0400"]),
        ("0 */2 8 * *", ["08 00:00-0500", "08 03:00-0400", "08 04:00-0400"]),
        ("30 * 8 * *", ["08 00:30-0500", "08 01:30-0500", "08 03:30-0400"]),
    ],
)
def test_a_skipped_local_time_fires_once_right_after_the_gap(
    text: str, expected: list[str]
) -> None:
    """New York, 8 March 2026: from 02:00 to 03:00. Every hour's minutes come as there are hours."""
    zone = calendar(text, "America/New_York")
    first = zone.after(datetime(2026, 3, 7, 6, tzinfo=UTC))
    assert local(next_times(zone, first, 3), "America/New_York") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 1 * * *", ["01 01:30-0400", "02 01:30-0500", "03 01:30-0500"]),
        ("0 0-2 1 * *", ["01 00:00-0400", "01 01:00-0400", "01 02:00-0500"]),
        ("30 * 1 * *", ["01 00:30-0400", "01 01:30-0400", "01 01:30-0500"]),
    ],
)
def test_a_local_time_that_comes_twice_fires_once(text: str, expected: list[str]) -> None:
    """New York, 1 November 2026: 01:00 comes twice. What fires every hour fires in both."""
    zone = calendar(text, "America/New_York")
    first = zone.after(datetime(2026, 11, 1, 3, 59, tzinfo=UTC))
    assert local(next_times(zone, first, 3), "America/New_York") == expected


def test_a_day_that_was_left_out_fires_at_its_end() -> None:
    """Samoa had no 30 December 2011: its nine o'clock fires when the 31st begins."""
    zone = calendar("0 9 * * *", "Pacific/Apia")
    first = zone.after(datetime(2011, 12, 29, 12, tzinfo=UTC))
    expected = ["29 09:00-1000", "31 00:00+1400", "31 09:00+1400"]
    assert local(next_times(zone, first, 3), "Pacific/Apia") == expected


def test_a_leap_day_is_found_across_a_century_without_one() -> None:
    """2100 has no 29 February."""
    zone = calendar("0 0 29 2 *", "UTC")
    assert zone.after(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


FIELD = st.sampled_from(["*", "*/7", "0", "30", "59", "0,15,45", "10-50/20"])
HOURS = st.sampled_from(["*", "*/2", "0", "1", "2", "3", "23", "1-3", "0,23", "*/5"])
DAYS = st.sampled_from(["* * *", "* * *", "* * 0", "*/2 * *", "1-15 * *", "13 * 5"])


@settings(max_examples=40, deadline=None)
@given(
    text=st.builds(lambda minute, hour, day: f"{minute} {hour} {day}", FIELD, HOURS, DAYS),
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2008, 1, 1), date(2026, 1, 1)),
    hours=st.integers(0, 30),
)
def test_the_next_time_is_that_of_minute_by_minute(
    text: str, zone: str, day: date, hours: int
) -> None:
    """Around each zone's changes: what a walk over every minute of two days finds, and no other."""
    start = next_change(zone, day) - timedelta(hours=hours)
    until = start + timedelta(days=2)
    schedule, walked = calendar(text, zone), list(walk(text, zone, start, until))
    assert list(between(schedule, start - MINUTE, until)) == walked
    if walked:
        assert schedule.latest(walked[0], until - MINUTE) == walked[-1]
        assert count(schedule, walked[0], walked[-1]) == min(len(walked) - 1, 1_000)


def next_change(zone: str, day: date) -> datetime:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for _ in range(400):
        later = moment + timedelta(days=1)
        if (
            moment.astimezone(ZoneInfo(zone)).utcoffset()
            != later.astimezone(ZoneInfo(zone)).utcoffset()
        ):
            return moment
        moment = later
    return moment


def between(schedule: Calendar, after: datetime, until: datetime) -> Iterator[datetime]:
    slot = schedule.after(after)
    while slot is not None and slot < until:
        yield slot
        slot = schedule.after(slot)


def walk(text: str, zone: str, start: datetime, until: datetime) -> Iterator[datetime]:
    """Minute by minute in UTC, by the rules as they are told to people."""
    fields, where = Cron.parse(text), ZoneInfo(zone)

    def says(at: datetime) -> bool:
        return at.minute in fields.minutes and at.hour in fields.hours and fields.on(at.date())

    before = (start - MINUTE).astimezone(where)
    while start < until:
        now = start.astimezone(where)
        fires = says(now) and (now.fold == 0 or fields.every_hour)
        if now.utcoffset() > before.utcoffset() and not fields.every_hour:  # type: ignore[operator]
            skipped = before.replace(tzinfo=None) + MINUTE
            while skipped < now.replace(tzinfo=None):
                fires = fires or says(skipped)
                skipped += MINUTE
        if fires:
            yield start
        before, start = now, start + MINUTE


def test_an_interval_keeps_its_grid() -> None:
    """Counted from its start, whenever it is asked; what was missed is counted."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    each = Every(timedelta(seconds=90), start)
    assert each.after(start) == start + timedelta(seconds=90)
    assert each.after(start + timedelta(seconds=91)) == start + timedelta(seconds=180)
    assert each.after(start - timedelta(days=1)) == start + timedelta(seconds=90)
    first, now = start + timedelta(seconds=90), start + timedelta(seconds=1_000)
    assert each.latest(first, now) == start + timedelta(seconds=990)
    assert count(each, first, each.latest(first, now)) == 10


def test_a_single_time_comes_once() -> None:
    """And never again after it."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert Once(at).after(at - MINUTE) == at
    assert Once(at).after(at) is None


def test_a_year_of_missed_minutes_is_counted_to_a_thousand() -> None:
    """The latest of half a million times is found without walking them all."""
    each = calendar("* * * * *")
    first = datetime(2025, 1, 1, tzinfo=UTC)
    latest = each.latest(first, datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC))
    assert latest == datetime(2026, 1, 1, tzinfo=UTC)
    assert count(each, first, latest) == 1_000
