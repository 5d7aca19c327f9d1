"""Permits of a caller, on a real Valkey, over several processes, and without it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dirty_equals import IsInt
from redis import Redis
from structlog.testing import capture_logs

from own_store import OwnStore
from student_hub.platform.cache.line import Line
from student_hub.platform.limits.costs import EXPENSIVE, ORDINARY, Allowance, Cost
from student_hub.platform.limits.errors import RateLimited
from student_hub.platform.limits.headers import headers_of
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.limits.permit import UNLIMITED
from student_hub.platform.security.caller import Caller

pytestmark = pytest.mark.requirement("rate-limit")

ASKING = Path(__file__).parent / "asking.py"
NOBODY = "redis://127.0.0.1:1/0"
TEACHER = Caller("teacher:kim", frozenset(), credential="key:1")
OTHER_KEY = Caller("teacher:kim", frozenset(), credential="key:2")
OTHER_PERSON = Caller("teacher:lee", frozenset(), credential="key:1")


async def granted(limiter: Limiter, caller: Caller, cost: Cost = ORDINARY) -> bool:
    try:
        await limiter.ask(caller, cost).granted()
    except RateLimited:
        return False
    return True


async def count(limiter: Limiter, caller: Caller = TEACHER, *, most: int = 20) -> int:
    """How many of so many calls are granted."""
    return sum([await granted(limiter, caller) for _ in range(most)])


@pytest.fixture
async def line(own_store: OwnStore) -> AsyncIterator[Line]:
    line = Line(own_store.url)
    assert await line.ask("PING") == b"PONG"
    yield line
    await line.close()


@pytest.mark.parametrize("limit", [10, 30])
def test_four_processes_grant_exactly_the_limit(own_store: OwnStore, limit: int) -> None:
    """400 calls at once: the limit's number, and those that came back by the store's clock."""
    words = [sys.executable, str(ASKING), own_store.url, str(limit), "100"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(words, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    with Redis.from_url(own_store.url) as redis:
        start = redis.time()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        allowed = sum(int(process.communicate(timeout=60)[0]) for process in processes)
        end = redis.time()
    elapsed_s = end[0] - start[0] + (end[1] - start[1]) / 1_000_000
    assert limit <= allowed <= limit + elapsed_s // (60 / limit)


async def test_each_credential_of_each_subject_has_an_allowance_of_its_own(line: Line) -> None:
    """Nobody uses up what is another's, and expensive calls do not use up the ordinary ones."""
    limiter = Limiter(line, {Allowance.ORDINARY: 3, Allowance.EXPENSIVE: 1})
    assert await count(limiter, TEACHER) == 3
    assert await count(limiter, OTHER_KEY) == 3
    assert await count(limiter, OTHER_PERSON) == 3
    assert await granted(limiter, TEACHER, EXPENSIVE)
    assert not await granted(limiter, TEACHER, EXPENSIVE)


async def test_a_batch_weighs_what_is_in_it(line: Line) -> None:
    """One that weighs more than the whole allowance takes all of it, and is not shut out."""
    limiter = Limiter(line, {Allowance.ORDINARY: 10})
    assert await granted(limiter, TEACHER, Cost(Allowance.ORDINARY, 7))
    assert not await granted(limiter, TEACHER, Cost(Allowance.ORDINARY, 4))
    assert await granted(limiter, TEACHER, Cost(Allowance.ORDINARY, 3))
    assert await granted(limiter, OTHER_KEY, Cost(Allowance.ORDINARY, 100))
    assert not await granted(limiter, OTHER_KEY)


async def test_a_limit_of_nought_is_none(line: Line) -> None:
    """Nothing is counted, and no header says so."""
    permit = Limiter(line, {Allowance.ORDINARY: 0}).ask(TEACHER, ORDINARY)
    assert permit is UNLIMITED
    await permit.granted()
    assert headers_of([permit]) == []


async def test_a_store_that_has_forgotten_the_rule_is_told_it_again(line: Line) -> None:
    """A restart or a flush of its scripts costs a round trip, not the limit."""
    limiter = Limiter(line, {Allowance.ORDINARY: 3})
    assert await granted(limiter, TEACHER)
    assert await line.ask("SCRIPT", "FLUSH") == b"OK"
    assert await count(limiter) == 2


async def test_without_the_store_the_limit_holds_in_the_process() -> None:
    """It is never off; the log says once that it is local."""
    line = Line(NOBODY)
    limiter = Limiter(line, {Allowance.ORDINARY: 3})
    with capture_logs() as lines:
        assert await count(limiter) == 3
    assert [line["event"] for line in lines if "rate" in line["event"]] == ["rate_limits_local"]
    await line.close()


async def test_the_process_goes_on_from_what_the_store_said_and_gives_it_back(
    own_store: OwnStore, line: Line
) -> None:
    """A store that goes away gives nobody a new allowance; one that is back counts for all."""
    limiter = Limiter(line, {Allowance.ORDINARY: 10})
    assert await count(limiter, most=6) == 6
    own_store.stop()
    assert await count(limiter) == 4
    own_store.start()
    with capture_logs() as lines:
        while not lines:
            await granted(limiter, OTHER_KEY)
    assert [line["event"] for line in lines] == ["rate_limits_shared"]


async def test_a_frozen_store_does_not_hold_permits_up(own_store: OwnStore, line: Line) -> None:
    """After a moment's silence the process judges by itself."""
    limiter = Limiter(line, {Allowance.ORDINARY: 5})
    assert await granted(limiter, TEACHER)
    own_store.freeze()
    assert await count(limiter) == 4
    own_store.thaw()


async def test_a_refusal_says_when_to_come_back(line: Line) -> None:
    """In whole seconds, one at least; of ten a minute one comes back every six."""
    limiter = Limiter(line, {Allowance.ORDINARY: 10})
    assert await count(limiter) == 10
    with pytest.raises(RateLimited) as caught:
        await limiter.ask(TEACHER, ORDINARY).granted()
    assert caught.value.facts == {"allowance": "ordinary", "retry_after": IsInt(ge=1, le=6)}


async def test_headers_say_what_is_left_of_each_allowance(line: Line) -> None:
    """The fields of the IETF's draft; of several permits of one kind the last one counts."""
    limiter = Limiter(line, {Allowance.ORDINARY: 60, Allowance.EXPENSIVE: 5})
    permits = [limiter.ask(TEACHER, cost) for cost in (ORDINARY, EXPENSIVE, ORDINARY)]
    assert headers_of(permits) == []
    for permit in permits:
        await permit.granted()
    assert headers_of(permits) == [
        (b"ratelimit-policy", b'"ordinary";q=60;w=60, "expensive";q=5;w=60'),
        (b"ratelimit", b'"ordinary";r=58;t=2, "expensive";r=4;t=12'),
    ]
