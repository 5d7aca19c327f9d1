"""Reads and writes in seeded disorder: nobody is shown what was before a write that had ended.

The long form, of 10,000 schedules, is `tests/chaos/test_schedules.py`.
"""

import pytest

from fakes.valkey import store
from profiles.disorder import played
from profiles.stage import Stage
from student_hub.platform.cache.store import Cache
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles.service import Profiles

SCHEDULES = 40
NEVER_SENT = {"keys", "scan", "flushdb", "flushall", "unlink"}


@pytest.mark.requirement("profile-invalidation")
@pytest.mark.timeout(300)
async def test_no_read_shows_what_was_before_a_write_that_had_ended(
    stage: Stage, processes: list[Profiles]
) -> None:
    """Whatever the order in which fills and writes overlap, in one process or two."""
    plays = [await played(stage, processes[:2], seed) for seed in range(SCHEDULES)]
    assert [each for play in plays for each in play.stale] == []
    assert sum(play.refused for play in plays) <= 0.01 * sum(play.read for play in plays)


@pytest.mark.requirement("profile-invalidation")
async def test_staleness_never_searches_or_deletes_in_the_store(stage: Stage) -> None:
    """Only reads and writes of named entries are sent, however many profiles are made stale."""
    async with store() as kept:
        cache = Cache(kept.url, bytes(32))
        async with stage.with_cache(cache) as profiles:
            for _ in range(3):
                await profiles.get(SYSTEM, stage.student.id)
                await stage.touch(stage.student.id)
        await cache.close()
        sent = set(await kept.commands())
    assert {"mget", "set"} <= sent
    assert sent & NEVER_SENT == set()
