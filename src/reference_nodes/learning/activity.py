"""Study time out of events: sittings, days, a student's own pace."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from reference_nodes.eventlog import LoggedEvent

SEOUL = ZoneInfo("Asia/Seoul")
SITTING_GAP = 30 * 60.0
"""Seconds without an event after which the next one begins another sitting."""
PER_EVENT = 5 * 60.0
"""Most seconds that an event counts for when it does not say its own time."""


@dataclass(frozen=True, slots=True)
class DayOfStudy:
    """One type of activity on one day in Seoul; `duration` in seconds."""

    date: date
    type: str
    duration: float
    problems_solved: int
    correct: int


def seoul_day(moment: datetime) -> date:
    """The calendar day in Seoul."""
    return moment.astimezone(SEOUL).date()


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Seoul."""
    return datetime.combine(day, time(), SEOUL)


def last_days(now: datetime, days: int) -> datetime:
    """The beginning of the last `days` days in Seoul, today being one of them."""
    return midnight(seoul_day(now) - timedelta(days=days - 1))


def durations(events: Sequence[LoggedEvent]) -> list[float]:
    """Seconds each event took, for one student's events in the order of time.

    Its own `time_spent` (at most half an hour), else the time since the event before it in the
    same sitting, at most five minutes. The first event of a sitting has nothing to go by: 0.
    """
    if not events:
        return []
    gaps = [SITTING_GAP, *(later.at - earlier.at for earlier, later in pairwise(events))]
    return [_duration(event, gap) for event, gap in zip(events, gaps, strict=True)]


def sittings(events: Sequence[LoggedEvent]) -> int:
    """How many sittings a student's events fall into."""
    return sum(later.at - earlier.at >= SITTING_GAP for earlier, later in pairwise(events)) + bool(
        events
    )


def days_of_study(events: Sequence[LoggedEvent]) -> list[DayOfStudy]:
    """What happened per day and type, the newest day first."""
    rows: dict[tuple[date, str], list[tuple[LoggedEvent, float]]] = defaultdict(list)
    for event, seconds in zip(events, durations(events), strict=True):
        rows[seoul_day(event.occurred_at), event.event_type].append((event, seconds))
    newest_first = sorted(rows, key=lambda key: (-key[0].toordinal(), key[1]))
    return [_day(day, kind, rows[day, kind]) for day, kind in newest_first]


def median_minutes_a_day(events: Sequence[LoggedEvent]) -> float | None:
    """Median minutes of study on the days with any, None without study."""
    per_day: dict[date, float] = defaultdict(float)
    for row in days_of_study(events):
        per_day[row.date] += row.duration
    worked = [seconds for seconds in per_day.values() if seconds > 0]
    return median(worked) / 60 if worked else None


def _duration(event: LoggedEvent, gap: float) -> float:
    if event.time_spent is not None:
        return min(event.time_spent, SITTING_GAP)
    return min(gap, PER_EVENT) if gap < SITTING_GAP else 0.0


def _day(day: date, kind: str, rows: Iterable[tuple[LoggedEvent, float]]) -> DayOfStudy:
    events, seconds = zip(*rows, strict=True)
    answers = [event for event in events if event.is_answer]
    correct = sum(bool(event.correct) for event in answers)
    return DayOfStudy(day, kind, sum(seconds), len(answers), correct)
