"""Sealed bytes in Redis or Valkey. Its absence makes the hub slower, never wrong."""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from student_hub.platform.security.sealing import SealBroken, seal, unseal

TIMEOUT_S = 0.05
CONNECTIONS = 32
PATIENCE_S = 0.5
MOST_NAMES = 256
LOOP_TURNS = 20
"""Under load an answer that is there already takes a few turns of the loop to be read."""
REST_S = 1.0
JITTER = 0.1
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"
T = TypeVar("T")
log = structlog.get_logger()


class Cache:
    """Values that open only under the name they were kept under.

    After a failed call the store is left alone for a second, so that its absence costs one
    request in a while 50 ms, and the others nothing.
    """

    def __init__(self, url: str, key: bytes) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE_S,
            retry=None,
        )
        self._redis = Redis.from_pool(pool)
        self._key = key
        self._rests_until = float("-inf")
        self._asked: dict[str, list[asyncio.Future[bytes | None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, name: str) -> bytes | None:
        """What was kept under the name; None when nothing is, or the store is away.

        Names that are asked for while an answer is under way go together in the next round trip.
        """
        place = asyncio.get_running_loop().create_future()
        self._asked.setdefault(name, []).append(place)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        value: bytes | None = await place
        return value

    async def get_many(self, names: Sequence[str]) -> list[bytes | None]:
        """What was kept under each of the names, in one round trip."""
        if not names:
            return []
        values = await self._ask(lambda: self._redis.mget(names))
        if not isinstance(values, list):
            return [None] * len(names)
        return [self._open(name, value) for name, value in zip(names, values, strict=True)]

    async def put_many(self, values: Mapping[str, tuple[bytes, float]]) -> None:
        """Keeps each value for about so many seconds (±10 %: they do not end together)."""
        pipeline = self._redis.pipeline(transaction=False)
        for name, (value, ttl_s) in values.items():
            spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (hides nothing)
            lifetime = max(1, int(ttl_s * 1000 * spread))
            pipeline.set(name, seal(self._key, value, name), px=lifetime)
        await self._ask(pipeline.execute)

    async def lease(self, name: str, seconds: float) -> str | None:
        """A token when nobody else holds the name now, or when nobody can tell; None else."""
        token = secrets.token_hex(8)
        lifetime = int(seconds * 1000)
        taken = await self._ask(lambda: self._redis.set(name, token, nx=True, px=lifetime))
        return token if taken or self._rests else None

    async def is_leased(self, name: str) -> bool:
        """Whether somebody holds the name."""
        return bool(await self._ask(lambda: self._redis.get(name)))

    async def release(self, name: str, token: str) -> None:
        """Gives the name back, if the token still holds it."""
        await self._ask(lambda: self._release(name, token))

    async def ping(self) -> None:
        """Nothing when the store answers; its error otherwise."""
        answer = self._redis.ping()
        if isinstance(answer, Awaitable):
            await answer

    async def close(self) -> None:
        if self._reading is not None:
            await self._reading
        await self._redis.aclose()

    async def _read_all(self) -> None:
        while self._asked:
            names = list(self._asked)[:MOST_NAMES]
            asked = [self._asked.pop(name) for name in names]
            for places, value in zip(asked, await self.get_many(names), strict=True):
                for place in places:
                    if not place.done():
                        place.set_result(value)
        self._reading = None

    async def _release(self, name: str, token: str) -> None:
        answer = self._redis.eval(RELEASE, 1, name, token)
        if isinstance(answer, Awaitable):
            await answer

    @property
    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        if self._rests:
            return None
        try:
            return await _bounded(call())
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = time.monotonic() + REST_S
            log.warning("cache_away", reason=type(error).__name__)
            return None

    def _open(self, name: str, sealed: object) -> bytes | None:
        if not isinstance(sealed, bytes):
            return None
        try:
            return unseal(self._key, sealed, name)
        except SealBroken:
            log.warning("cache_entry_broken")
            return None


async def _bounded(call: Awaitable[T]) -> T:
    """What the call returns within its time; a busy event loop is not held against the store."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=TIMEOUT_S)
        for _ in range(LOOP_TURNS):
            if not task.done():
                await asyncio.sleep(0)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
