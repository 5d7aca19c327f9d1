"""Study time out of events."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from learning_events import START, answer, student_id, trace
from reference_nodes.eventlog import EventLog, LoggedEvent
from reference_nodes.events import Content, LearningEvent
from reference_nodes.learning.activity import (
    days_of_study,
    durations,
    last_days,
    median_minutes_a_day,
    sittings,
)

pytestmark = pytest.mark.requirement("nodes-real-models")


def logged(folder: Path, events: Sequence[LearningEvent]) -> list[LoggedEvent]:
    with EventLog(folder) as log:
        log.append(events)
        return log.of_student(str(student_id("a")))


def at(*minutes: float, time_spent: float | None = None) -> list[LearningEvent]:
    return [answer("a", f"p{m}", True, minutes=m, time_spent=time_spent) for m in minutes]


def test_an_event_counts_for_the_time_that_it_says(tmp_path: Path) -> None:
    """Its own seconds win over the clock between events, up to half an hour."""
    events = logged(tmp_path, [*at(0, 1, time_spent=180), *at(2, time_spent=9_000)])
    assert durations(events) == [180, 180, 1800]


def test_without_a_time_of_its_own_the_gap_counts_up_to_five_minutes(tmp_path: Path) -> None:
    """A break inside a sitting is not study."""
    assert durations(logged(tmp_path, at(0, 2, 22))) == [0, 120, 300]


def test_half_an_hour_without_an_event_ends_the_sitting(tmp_path: Path) -> None:
    """29 minutes do not; the first event of the next sitting has no gap to count."""
    events = logged(tmp_path, at(0, 29, 59, 88))
    assert sittings(events) == 2
    assert durations(events) == [0, 300, 0, 300]
    assert sittings([]) == 0


def test_days_are_those_of_seoul_newest_first(tmp_path: Path) -> None:
    """18:00 in Seoul and six hours later are two days there, though one day in UTC."""
    days = days_of_study(logged(tmp_path, at(0, 6 * 60, time_spent=60)))
    assert [day.date for day in days] == [date(2026, 3, 3), date(2026, 3, 2)]


def test_a_day_has_a_row_for_each_type(tmp_path: Path) -> None:
    """Tests are not mixed with study; lessons count time but no problems."""
    test = answer("a", "t", False, minutes=3, time_spent=50).model_copy(
        update={"event_type": "test"}
    )
    lesson = trace("a", Content(action="reviewed_concept", time_spent=100), minutes=1)
    rows = days_of_study(logged(tmp_path, [*at(0, 2, time_spent=30), test, lesson]))
    assert [(r.type, r.duration, r.problems_solved, r.correct) for r in rows] == [
        ("study", 160, 2, 2),
        ("test", 50, 1, 0),
    ]


def test_the_pace_is_the_median_of_the_days_with_study(tmp_path: Path) -> None:
    """Days off do not count as days of no time."""
    day = 24 * 60
    events = [*at(0, time_spent=600), *at(day, time_spent=1200), *at(9 * day, time_spent=1800)]
    assert median_minutes_a_day(logged(tmp_path, events)) == 20
    assert median_minutes_a_day([]) is None


def test_today_is_the_last_of_the_last_days() -> None:
    """One day back from 18:00 in Seoul is that day's midnight there."""
    assert START - last_days(START, 1) == timedelta(hours=18)
    assert START - last_days(START, 3) == timedelta(hours=18, days=2)
