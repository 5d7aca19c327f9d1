"""Cron expressions of five fields, as Vixie's cron reads them; what it would guess at is refused.

minute hour day-of-month month day-of-week; each `*`, a number, a range, a list of those, a step of
`*` or of a range; months and weekdays also by their English names, Sunday as 0 or 7.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

LONGEST = 100
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MOST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MACROS = {
    "@HOURLY": "0 * * * *",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@WEEKLY": "0 0 * * 0",
    "@MONTHLY": "0 0 1 * *",
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
}
FIELDS = 5
SUNDAY = 7
ITEM = re.compile(r"(?P<all>\*)|(?P<first>[0-9A-Z]+)(-(?P<last>[0-9A-Z]+))?")
EXOTIC = re.compile(r"L|W|LW|\d+[LW]|L-\d+|[0-9A-Z]+#\d*")


class BadCron(ValueError):
    """Not a cron expression; its text says which field is wrong, and why."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field's name, its bounds, and the names of its values from the lowest on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day-of-month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
WEEKDAY = Field("day-of-week", 0, SUNDAY, WEEKDAYS)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression: `minutes` and `hours` in order; a weekday is 0 (Sunday) to 6.

    `either_day`: both days are restricted, so that a date needs only one of them.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """The expression; BadCron says what is wrong with it, also when it would never fire."""
        minute, hour, day, month, weekday = _split(text)
        cron = cls(
            tuple(sorted(_values(MINUTE, minute))),
            tuple(sorted(_values(HOUR, hour))),
            frozenset(_values(DAY, day)),
            frozenset(_values(MONTH, month)),
            frozenset(value % SUNDAY for value in _values(WEEKDAY, weekday)),
            # Vixie's rule: a field that begins with a star does not count as restricted.
            either_day=not (day.startswith("*") or weekday.startswith("*")),
        )
        cron._require_a_day()
        return cron

    @property
    def every_hour(self) -> bool:
        return len(self.hours) == HOUR.high + 1

    def on(self, day: date) -> bool:
        """Whether it fires on that date."""
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % SUNDAY in self.weekdays
        return by_day or by_weekday if self.either_day else by_day and by_weekday

    def _require_a_day(self) -> None:
        longest = max(MOST_DAYS[month - 1] for month in self.months)
        if not self.either_day and min(self.days) > longest:
            raise BadCron("the day-of-month is in none of the months: it would never fire")


def _split(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise BadCron(f"is longer than {LONGEST} characters")
    if not (text.isascii() and text.isprintable()):
        raise BadCron("has a character that is no part of a cron expression")
    fields = text.upper().split()
    if not fields:
        raise BadCron("is empty: five fields are needed")
    if len(fields) == 1 and fields[0].startswith("@"):
        if fields[0] not in MACROS:
            raise BadCron(f"there is no such macro: {', '.join(MACROS).lower()}")
        fields = MACROS[fields[0]].split()
    if len(fields) != FIELDS:
        raise BadCron(
            f"has {len(fields)} fields, not five: minute hour day-of-month month day-of-week"
        )
    return fields


def _values(field: Field, text: str) -> Iterator[int]:
    for item in text.split(","):
        yield from _items(field, item)


def _items(field: Field, item: str) -> range:
    whole, slash, step = item.partition("/")
    found = ITEM.fullmatch(whole)
    if EXOTIC.fullmatch(whole):
        raise BadCron(f"the {field.name}: L, W and # are not known here")
    if found is None:
        raise BadCron(f"the {field.name} is not a number, a range, a list or *")
    if slash and not (found["all"] or found["last"]):
        raise BadCron(f"the {field.name}: a step needs * or a range before it")
    first, last = _bounds(field, found)
    return range(first, last + 1, _step(field, step) if slash else 1)


def _bounds(field: Field, found: re.Match[str]) -> tuple[int, int]:
    if found["all"]:
        # A week has one Sunday: counted as 0 and as 7, a step would meet it twice.
        return field.low, 6 if field is WEEKDAY else field.high
    first = _number(field, found["first"])
    if found["last"] is None:
        return first, first
    last = _number(field, found["last"])
    if field is WEEKDAY and found["last"] == WEEKDAYS[0]:
        last = SUNDAY
    if last < first:
        raise BadCron(f"the {field.name}: a range ends before it begins")
    return first, last


def _number(field: Field, text: str) -> int:
    if text in field.names:
        return field.low + field.names.index(text)
    if not text.isdigit():
        named = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise BadCron(f"the {field.name} is not a number from {field.low} to {field.high}{named}")
    value = int(text)
    if not field.low <= value <= field.high:
        raise BadCron(f"the {field.name} is not between {field.low} and {field.high}")
    return value


def _step(field: Field, text: str) -> int:
    longest = field.high - field.low
    if not (text.isdigit() and 1 <= int(text) <= longest):
        raise BadCron(f"the {field.name}: a step is a number from 1 to {longest}")
    return int(text)
