"""A store that is killed, full or hung for some seconds under load; a minute of it is in chaos."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from fakes.valkey import Store, store
from profiles.stage import Stage
from student_hub.platform.cache.store import Cache
from student_hub.platform.security.caller import SYSTEM
from student_hub.profiles.schemas import State, UnifiedProfile
from student_hub.profiles.service import Profiles

pytestmark = pytest.mark.requirement("cache-away")

TROUBLE_S = 3.0
PER_SECOND = 20
HEALED_S = 20


@dataclass
class Reading:
    """The service before a store of its own, asked again and again."""

    stage: Stage
    store: Store
    profiles: Profiles

    async def read(self) -> UnifiedProfile:
        json = await self.profiles.get(SYSTEM, self.stage.student.id)
        return UnifiedProfile.model_validate_json(json)

    async def read_for(self, seconds: float) -> list[UnifiedProfile]:
        """The profiles that were asked for meanwhile; every third after a change."""
        start, asked = time.monotonic(), []
        for number in range(round(seconds * PER_SECOND)):
            await asyncio.sleep(start + number / PER_SECOND - time.monotonic())
            if number % 3 == 0:
                await self.stage.touch(self.stage.student.id)
            asked.append(asyncio.create_task(self.read()))
        return await asyncio.gather(*asked)

    async def check(self) -> None:
        """While the trouble lasts every profile is whole, and none is from before a change."""
        for profile in await self.read_for(TROUBLE_S):
            states = {source.state for source in profile.sources.values()}
            assert states <= {State.FRESH, State.CACHED, State.SKIPPED}

    async def heal(self) -> None:
        """Profiles come from the cache again; TimeoutError when they do not."""
        async with asyncio.timeout(HEALED_S):
            while not (await self.read()).cached:  # noqa: ASYNC110 (it is asked for)
                await asyncio.sleep(0.1)


@pytest.fixture
async def reading(stage: Stage) -> AsyncIterator[Reading]:
    async with store() as kept:
        cache = Cache(kept.url, uuid.uuid4().bytes * 2)
        async with stage.with_cache(cache) as profiles:
            yield Reading(stage, kept, profiles)
        await cache.close()


async def test_a_store_that_is_killed_is_hardly_missed(reading: Reading) -> None:
    """As by kill -9; a new one is filled again."""
    await reading.heal()
    reading.store.kill()
    await reading.check()
    await reading.store.start()
    await reading.heal()


async def test_a_store_that_is_full_is_hardly_missed(reading: Reading) -> None:
    """It refuses every write; what it has is read."""
    await reading.heal()
    await reading.store.fill()
    await reading.check()
    await reading.store.relieve()
    await reading.heal()


async def test_a_store_that_hangs_is_hardly_missed(reading: Reading) -> None:
    """Its connections stay and nothing is answered."""
    await reading.heal()
    reading.store.stop()
    await reading.check()
    reading.store.go_on()
    await reading.heal()
