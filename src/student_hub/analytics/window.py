"""The days that an answer is about: whole days of Asia/Seoul, today being the last."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SEOUL = ZoneInfo("Asia/Seoul")
HABITS_DAYS = 60
"""So far back is looked for how often a student usually comes."""


@dataclass(frozen=True, slots=True)
class Window:
    """`days` days that end with `today`."""

    now: datetime
    days: int

    @property
    def today(self) -> date:
        return self.now.astimezone(SEOUL).date()

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=self.days - 1)

    @property
    def begins(self) -> datetime:
        """The midnight with which the window begins, and the one before it ends; in UTC."""
        return _midnight(self.first_day)

    @property
    def looks_back(self) -> datetime:
        """From when on events are read; in UTC."""
        return _midnight(self.today - timedelta(days=max(self.days, HABITS_DAYS)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SEOUL).astimezone(UTC)
