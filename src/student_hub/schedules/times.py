"""When a schedule fires: a cron expression in a time zone, every so many seconds, or once.

A local time that a change of the clocks leaves out fires once, at the moment right after the gap;
one that comes twice fires the first time. An expression for every hour is no question of local
hours: its minutes are taken as they come, in hours that are there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from student_hub.schedules.cron import Cron

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
FARTHEST = timedelta(days=366 * 41)
"""29 February on an odd weekday may be 40 years ahead, across a century without a leap day."""
MOST_COUNTED = 1_000
Slot: TypeAlias = datetime


class Schedule(Protocol):
    """When something fires, in UTC."""

    def after(self, moment: datetime) -> Slot | None:
        """The first time later than that; None when there is none any more."""

    def latest(self, first: Slot, now: datetime) -> Slot:
        """The last time until `now`, itself included, of those from `first` on."""


@dataclass(frozen=True, slots=True)
class Once:
    """Fires at one time."""

    at: datetime

    def after(self, moment: datetime) -> Slot | None:
        return self.at if self.at > moment else None

    def latest(self, first: Slot, now: datetime) -> Slot:
        del now
        return first


@dataclass(frozen=True, slots=True)
class Every:
    """Fires each so many seconds, counted from a time."""

    span: timedelta
    start: datetime

    def after(self, moment: datetime) -> Slot | None:
        steps = max(1, (moment - self.start) // self.span + 1)
        return self.start + steps * self.span

    def latest(self, first: Slot, now: datetime) -> Slot:
        return first + (now - first) // self.span * self.span


@dataclass(frozen=True, slots=True)
class Calendar:
    """Fires at the local times of a cron expression."""

    cron: Cron
    zone: ZoneInfo

    def after(self, moment: datetime) -> Slot | None:
        # A day earlier: a change of the clocks may put the local date back.
        first = moment.astimezone(self.zone).date() - DAY
        for number in range(FARTHEST.days):
            day = first + number * DAY
            if not self.cron.on(day):
                continue
            if (slot := self._first_of(day, moment)) is not None:
                return self._unless_sooner(slot, day + DAY, moment)
        return None

    def latest(self, first: Slot, now: datetime) -> Slot:
        # Looked for backwards, twice as far each time: an outage of a year costs no year of steps.
        found, back = first, MINUTE
        while (start := now - back) > first:
            slot = self.after(start)
            if slot is not None and slot <= now:
                found = slot
                break
            back *= 2
        for later in _from(self, found, now):
            found = later
        return found

    def _first_of(self, day: date, moment: datetime) -> Slot | None:
        offset = _steady_offset(day, self.zone)
        if offset is None:
            return _first_after(_slots_of(self, day), moment)
        # Without a change on that day the local times are simply so many hours off.
        midnight = datetime.combine(day, time(), UTC) - offset
        passed = (moment - midnight) // MINUTE
        hours, minutes = self.cron.hours, self.cron.minutes
        if passed >= 0:
            hour, minute = divmod(passed + 1, 60)
            place = bisect_left(minutes, minute)
            if hour in hours and place < len(minutes):
                return midnight + timedelta(hours=hour, minutes=minutes[place])
            later = bisect_left(hours, hour + 1 if hour in hours else hour)
        else:
            later = 0
        if later == len(hours):
            return None
        return midnight + timedelta(hours=hours[later], minutes=minutes[0])

    def _unless_sooner(self, slot: Slot, next_day: date, moment: datetime) -> Slot:
        """Where an hour around midnight comes twice, a time of the next day may be earlier."""
        if not self.cron.on(next_day) or _steady_offset(next_day, self.zone) is not None:
            return slot
        return min(slot, _first_after(_slots_of(self, next_day), moment) or slot)

    def slots(self, day: date) -> Iterator[Slot]:
        """Every time of that local date, in no order."""
        for hour in self.cron.hours:
            for minute in self.cron.minutes:
                yield from self._instants(datetime.combine(day, time(hour, minute), self.zone))

    def _instants(self, local: datetime) -> Iterable[Slot]:
        early, late = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
        if early <= late:
            return {early, late} if self.cron.every_hour else (early,)
        return () if self.cron.every_hour else (_end_of_gap(late, early, self.zone),)


def count(schedule: Schedule, first: Slot, last: Slot) -> int:
    """How many times there are from `first` to `last`, the last not counted; at most 1,000."""
    if isinstance(schedule, Every):
        return min(MOST_COUNTED, (last - first) // schedule.span)
    counted, slot = 0, first
    while slot < last and counted < MOST_COUNTED:
        counted += 1
        slot = schedule.after(slot) or last
    return counted


def next_times(schedule: Schedule, first: Slot | None, how_many: int) -> list[Slot]:
    """That time and the ones after it."""
    times: list[Slot] = []
    slot = first
    while slot is not None and len(times) < how_many:
        times.append(slot)
        slot = schedule.after(slot)
    return times


def _from(schedule: Schedule, slot: Slot, until: datetime) -> Iterator[Slot]:
    later = schedule.after(slot)
    while later is not None and later <= until:
        yield later
        later = schedule.after(later)


@lru_cache(maxsize=1_024)
def _slots_of(calendar: Calendar, day: date) -> tuple[Slot, ...]:
    """The times of a date on which the clocks change, in order."""
    return tuple(sorted(set(calendar.slots(day))))


def _first_after(slots: Sequence[Slot], moment: datetime) -> Slot | None:
    place = bisect_right(slots, moment)
    return slots[place] if place < len(slots) else None


def _steady_offset(day: date, zone: ZoneInfo) -> timedelta | None:
    """How far the zone is from UTC all that day long; None when it changes, or might."""
    midnights = (datetime.combine(day, time()), datetime.combine(day + DAY, time()))
    offsets = {zone.utcoffset(at.replace(fold=fold)) for at in midnights for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment with the new offset, to the second, between two that have one each."""
    old = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // 2 // SECOND * SECOND
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
