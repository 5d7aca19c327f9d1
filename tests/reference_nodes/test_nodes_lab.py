"""Node 4: what students did, and how events come in."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from learning_events import START, answer, call, context_of, student_id
from reference_nodes.nodes.lab import ActivityQuestion, RecentActivities, Recorded, tools

pytestmark = pytest.mark.requirement("nodes-real-models")


def test_activities_come_per_day_newest_first(tmp_path: Path) -> None:
    """Seconds, problems and right answers of each day in Seoul."""
    day = 24 * 60
    events = [
        answer("a", "p1", True, minutes=0, time_spent=100),
        answer("a", "p2", False, minutes=2, time_spent=50),
        answer("a", "p3", True, minutes=day, time_spent=70),
        answer("b", "p1", True, minutes=0, time_spent=999),
    ]
    context = context_of(tmp_path, events, now=START + timedelta(days=2))
    with context.log:
        got = call(tools(context), "get_recent_activities", student_id=student_id("a"))
    assert isinstance(got, RecentActivities)
    rows = [(a.date, a.type, a.duration, a.problems_solved, a.correct) for a in got.activities]
    assert rows == [
        (date(2026, 3, 3), "study", 70, 1, 1),
        (date(2026, 3, 2), "study", 150, 2, 1),
    ]


def test_days_before_the_span_are_left_out(tmp_path: Path) -> None:
    """`days` counts today."""
    events = [answer("a", "p1", True), answer("a", "p2", True, minutes=24 * 60)]
    context = context_of(tmp_path, events, now=START + timedelta(days=1, hours=1))
    with context.log:
        got = call(tools(context), "get_recent_activities", student_id=student_id("a"), days=1)
    assert isinstance(got, RecentActivities)
    assert [activity.date for activity in got.activities] == [date(2026, 3, 3)]


def test_nobody_has_no_activities(tmp_path: Path) -> None:
    """Empty, not an error."""
    context = context_of(tmp_path)
    with context.log:
        got = call(tools(context), "get_recent_activities", student_id=student_id("nobody"))
    assert isinstance(got, RecentActivities)
    assert got.activities == []


@pytest.mark.parametrize("days", [0, 366, -1])
def test_days_have_bounds(days: int) -> None:
    """1 to 365, as everywhere in the contract."""
    with pytest.raises(ValidationError, match="days"):
        ActivityQuestion(student_id=student_id("a"), days=days)


def test_recorded_events_are_counted_and_kept_once(tmp_path: Path) -> None:
    """Sending again is safe; the answer says what was new."""
    context = context_of(tmp_path)
    events = [answer("a", f"p{n}", True, minutes=n, source_id=f"s{n}") for n in range(3)]
    with context.log:
        first = call(tools(context), "record_events", events=events)
        again = call(tools(context), "record_events", events=[*events, answer("a", "p", True)])
        assert first == Recorded(recorded=3, repeated=0)
        assert again == Recorded(recorded=1, repeated=3)
        assert len(context.log.of_student(str(student_id("a")))) == 4


def test_an_event_with_an_odd_value_costs_none_of_its_batch(tmp_path: Path) -> None:
    """What cannot be used of it is left out; it is kept, and counts as far as it goes."""
    context = context_of(tmp_path)
    event = answer("a", "p1", True, minutes=0).model_dump(mode="json")
    odd = {"result": "partial", "time_spent": "180", "difficulty": 3, "problem_id": "p2"}
    with context.log:
        sent = [event, {**event, "source_id": "odd", "content": odd}]
        got = call(tools(context), "record_events", events=sent)
        assert got == Recorded(recorded=2, repeated=0)
        kept = context.log.of_student(str(student_id("a")))
        assert [(e.problem_id, e.is_answer) for e in kept] == [("p1", True), ("p2", False)]
