"""Reads and writes in seeded disorder: nobody is shown what was before a write that had ended."""

import asyncio
import random

import orjson
import pytest
from redis.asyncio import Redis

from profiles.stage import Stage
from servers import valkey_server
from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles.service import Profiles

SCHEDULES = 40
STEPS = 25


class Play:
    """One seeded schedule: the node's answer counts the writes, each of which ends with a touch."""

    def __init__(self, stage: Stage, processes: list[Profiles], seed: int) -> None:
        self._stage = stage
        self._processes = processes
        self._random = random.Random(seed)  # noqa: S311 (a repeatable disorder)
        self._written = 0
        self._ended = 0
        self.stale: list[tuple[int, int]] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(STEPS):
                step = self._write if self._random.random() < 0.25 else self._read
                group.create_task(step())
                for _ in range(self._random.choice((0, 0, 1, 5, 40))):
                    await asyncio.sleep(0)

    async def _write(self) -> None:
        self._written += 1
        version = self._written
        answer = {"overall": version / 1_000, "by_subject": {}}
        self._stage.nodes[NodeName.Q_DNA].answers["get_mastery_level"] = answer
        await self._stage.touch(self._stage.student.id)
        self._ended = max(self._ended, version)

    async def _read(self) -> None:
        at_least = self._ended
        service = self._random.choice(self._processes)
        profile = orjson.loads(await service.get(SYSTEM, self._stage.student.id))
        shown = round(profile["mastery_levels"]["overall"] * 1_000)
        if shown < at_least and profile["sources"]["q-dna"]["state"] != "stale":
            self.stale.append((shown, at_least))


@pytest.mark.requirement("profile-invalidation")
@pytest.mark.timeout(300)
async def test_no_read_shows_what_was_before_a_write_that_had_ended(
    stage: Stage, processes: list[Profiles]
) -> None:
    """Whatever the order in which fills and writes overlap, in one process or two."""
    stale = []
    for seed in range(SCHEDULES):
        stage.nodes[NodeName.Q_DNA].answers["get_mastery_level"] = {"overall": 0, "by_subject": {}}
        await stage.touch(stage.student.id)
        play = Play(stage, processes[:2], seed)
        await play.run()
        stale += play.stale
    assert stale == []


@pytest.mark.requirement("profile-invalidation")
async def test_staleness_never_searches_or_deletes_in_the_store(stage: Stage) -> None:
    """Only reads and writes of named entries are sent, however many profiles are made stale."""
    with valkey_server() as url:
        cache = Cache(url, bytes(32))
        async with stage.with_cache(cache) as profiles:
            for _ in range(3):
                await profiles.get(SYSTEM, stage.student.id)
                await stage.touch(stage.student.id)
        await cache.close()
        async with Redis.from_url(url) as redis:
            stats = await redis.info("commandstats")
    sent = {name.removeprefix("cmdstat_").partition("|")[0] for name in stats}
    assert {"mget", "set"} <= sent
    assert sent & {"keys", "scan", "flushdb", "flushall", "unlink"} == set()
