"""The stage of the profile's tests, on a real PostgreSQL and a real Valkey."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from profiles.stage import Stage, set_up
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.profiles.service import Profiles
from student_hub.students.service import Students


@pytest.fixture
async def cache(valkey_url: str) -> AsyncIterator[Cache]:
    """A cache whose entries no other test can open."""
    cache = Cache(valkey_url, uuid.uuid4().bytes * 2)
    yield cache
    await cache.close()


@pytest.fixture
async def stage(database: Database, students: Students, cache: Cache) -> AsyncIterator[Stage]:
    async with set_up(database, students, cache) as stage:
        yield stage


@pytest.fixture
async def processes(stage: Stage, valkey_url: str) -> AsyncIterator[list[Profiles]]:
    """Four services that share nothing but the store, as four API processes do."""
    key = uuid.uuid4().bytes * 2
    async with AsyncExitStack() as stack:
        services = []
        for _ in range(4):
            cache = Cache(valkey_url, key)
            stack.push_async_callback(cache.close)
            services.append(await stack.enter_async_context(stage.with_cache(cache)))
        yield services
