"""The generic cell rate algorithm (ITU-T I.371), in the store and in the process, as one rule.

Of each caller one moment is kept: when their allowance will be whole again. A call of weight n
moves it n intervals on, and is refused if it would then lie more than a period ahead.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

PERIOD_US = 60_000_000
SECOND_US = 1_000_000
MOST_CALLERS = 50_000

SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local whole = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local after = whole + ARGV[1] * ARGV[3]
if after - now > tonumber(ARGV[2]) then
  return {0, whole - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, after - now}
"""
"""Interval, period and weight in; whether it is allowed, and in how many µs all is whole again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a minute, all of them at once if a caller likes."""

    limit: int

    @property
    def interval_us(self) -> int:
        """After so long one more call is allowed."""
        return math.ceil(PERIOD_US / self.limit)

    @property
    def period_us(self) -> int:
        """After so long without a call everything is allowed again."""
        return self.interval_us * self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is allowed, and in how many microseconds the allowance is whole again."""

    allowed: bool
    whole_in_us: int

    def remaining(self, rate: Rate) -> int:
        """So many calls would be allowed at once now."""
        return max(0, (rate.period_us - self.whole_in_us) // rate.interval_us)

    def reset_s(self) -> int:
        """In so many seconds the allowance is whole again."""
        return math.ceil(self.whole_in_us / SECOND_US)

    def retry_after_s(self, rate: Rate, weight: int) -> int:
        """In so many seconds (one at least) a call of that weight is allowed."""
        missing = self.whole_in_us + weight * rate.interval_us - rate.period_us
        return max(1, math.ceil(missing / SECOND_US))


class LocalLimits:
    """The same rule in this process's memory; follows what the store says while it says it."""

    def __init__(self, clock_us: Callable[[], int], most: int = MOST_CALLERS) -> None:
        self._clock_us = clock_us
        self._most = most
        self._whole_at: dict[str, int] = {}

    def take(self, name: str, rate: Rate, weight: int) -> Verdict:
        """Whether the call is allowed by what this process knows."""
        now = self._clock_us()
        whole = max(self._whole_at.get(name, 0), now)
        after = whole + weight * rate.interval_us
        if after - now > rate.period_us:
            return Verdict(allowed=False, whole_in_us=whole - now)
        self._keep(name, after)
        return Verdict(allowed=True, whole_in_us=after - now)

    def wait_s(self, name: str, rate: Rate) -> int:
        """In so many seconds one call would be allowed; 0 when it is now."""
        whole_in = max(0, self._whole_at.get(name, 0) - self._clock_us())
        missing = whole_in + rate.interval_us - rate.period_us
        return max(0, math.ceil(missing / SECOND_US))

    def learn(self, name: str, whole_in_us: int) -> None:
        """Keeps what the store has said, to go on from there without it."""
        self._keep(name, self._clock_us() + whole_in_us)

    def _keep(self, name: str, whole_at: int) -> None:
        if name not in self._whole_at and len(self._whole_at) >= self._most:
            self._forget_the_whole()
        self._whole_at[name] = whole_at

    def _forget_the_whole(self) -> None:
        """Whoever's allowance is whole need not be remembered; else the oldest half goes."""
        now = self._clock_us()
        kept = {name: at for name, at in self._whole_at.items() if at > now}
        if len(kept) >= self._most:
            kept = dict(list(kept.items())[len(kept) // 2 :])
        self._whole_at = kept
