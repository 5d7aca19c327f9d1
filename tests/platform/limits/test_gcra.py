"""The rule of the rate limit: in the process, and the same in the store."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.platform.cache.line import Line
from student_hub.platform.limits.gcra import PERIOD_US, SCRIPT, LocalLimits, Rate

pytestmark = pytest.mark.requirement("rate-limit")

CALLS = st.lists(st.tuples(st.integers(0, 20_000_000), st.integers(1, 4)), max_size=60)


class Hands:
    """A clock that is moved by hand, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now


@given(limit=st.integers(1, 50), calls=CALLS)
def test_no_window_of_a_minute_and_its_burst_has_more_than_is_allowed(
    limit: int, calls: list[tuple[int, int]]
) -> None:
    """In any time t at most the limit and what has come back in t, whatever the calls weigh."""
    clock, rate = Hands(), Rate(limit)
    limits = LocalLimits(clock)
    allowed: list[tuple[int, int]] = []
    for pause_us, weight in calls:
        clock.now += pause_us
        if limits.take("somebody", rate, weight).allowed:
            allowed.append((clock.now, weight))
    for first, (start, _) in enumerate(allowed):
        taken = 0
        for at, weight in allowed[first:]:
            taken += weight
            assert taken <= limit + (at - start) / rate.interval_us


def test_a_caller_who_waits_as_long_as_told_is_let_in() -> None:
    """Not a second earlier than needed is promised, and what is promised is kept."""
    clock, rate = Hands(), Rate(7)
    limits = LocalLimits(clock)
    while (verdict := limits.take("somebody", rate, 2)).allowed:
        pass
    assert verdict.remaining(rate) == 1
    clock.now += verdict.retry_after_s(rate, 2) * 1_000_000
    assert limits.take("somebody", rate, 2).allowed


def test_what_is_left_and_when_all_is_back_are_told() -> None:
    """An untouched allowance is whole; half of it comes back in half a minute."""
    clock, rate = Hands(), Rate(60)
    limits = LocalLimits(clock)
    first = limits.take("somebody", rate, 1)
    assert (first.remaining(rate), first.reset_s()) == (59, 1)
    used_up = limits.take("somebody", rate, 59)
    assert (used_up.remaining(rate), used_up.reset_s()) == (0, 60)
    clock.now += PERIOD_US // 2
    assert limits.take("somebody", rate, 1).remaining(rate) == 29


def test_callers_who_are_forgotten_had_everything_back() -> None:
    """Memory is bounded: those with nothing missing go first, then those who were seen first."""
    clock, rate = Hands(), Rate(1)
    limits = LocalLimits(clock, most=10)
    for number in range(10):
        limits.take(f"early {number}", rate, 1)
    clock.now += PERIOD_US
    limits.take("spent", rate, 1)
    for number in range(8):
        limits.take(f"late {number}", rate, 1)
    assert not limits.take("spent", rate, 1).allowed


@pytest.fixture
async def line(valkey_url: str) -> AsyncIterator[Line]:
    line = Line(valkey_url)
    yield line
    await line.close()


async def test_the_store_judges_as_the_process_does(line: Line, testrun_uid: str) -> None:
    """The same calls, with time standing still as far as a minute goes, have the same verdicts."""
    rate = Rate(10)
    limits = LocalLimits(Hands())
    for weight in (3, 1, 5, 2, 1, 1, 4):
        mine = limits.take("somebody", rate, weight)
        reply = await line.ask(
            "EVAL", SCRIPT, 1, f"gcra:{testrun_uid}", rate.interval_us, rate.period_us, weight
        )
        assert isinstance(reply, list)
        allowed, whole_in_us = reply
        assert bool(allowed) is mine.allowed
        assert isinstance(whole_in_us, int)
        assert mine.whole_in_us - rate.interval_us < whole_in_us <= mine.whole_in_us
