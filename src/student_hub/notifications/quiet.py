"""Quiet hours: between two times of day in a zone, messages wait; none is ever dropped."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+)")
OFF = "off"
DIGEST_AT = time(8)
SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` on, and not from `ends` on any more; over midnight where `ends` is earlier."""

    begins: time
    ends: time
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str) -> "QuietHours | None":
        """`21:00-08:00 Asia/Seoul`; None for `off`; ValueError for anything else."""
        if text == OFF:
            return None
        found = FORM.fullmatch(text)
        if found is None:
            raise ValueError("is not like 21:00-08:00 Asia/Seoul, nor `off`")
        first, last = (time(int(found[n]), int(found[n + 1])) for n in (1, 3))
        if first == last:
            raise ValueError("begins when it ends: `off` means no quiet hours")
        try:
            return cls(first, last, ZoneInfo(found[5]))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("names no time zone") from error

    def next_time(self, now: datetime) -> datetime:
        """Now, or the end of the quiet hours that it is in; in UTC."""
        local = now.astimezone(self.zone)
        at = local.time()
        over_midnight = self.ends < self.begins
        late = over_midnight and at >= self.begins
        early = at < self.ends if over_midnight else self.begins <= at < self.ends
        if not (late or early):
            return now
        day = local.date() + timedelta(days=1 if late else 0)
        return datetime.combine(day, self.ends, self.zone).astimezone(UTC)


def next_digest(now: datetime, frequency: str, zone: ZoneInfo) -> datetime:
    """When reports that were collected go out: at 8 in the morning, of the next day, Monday or 1st.

    Now, for any other frequency.
    """
    local = now.astimezone(zone)
    match frequency:
        case "daily":
            day = local.date() + timedelta(days=1)
        case "weekly":
            day = local.date() + timedelta(days=7 - local.weekday())
        case "monthly":
            day = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            return now
    return datetime.combine(day, DIGEST_AT, zone).astimezone(UTC)
