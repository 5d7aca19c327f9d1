"""Sealed bytes in Redis or Valkey. Its absence makes the hub slower, never wrong."""

import random
from collections.abc import Awaitable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from student_hub.platform.security.sealing import SealBroken, seal, unseal

TIMEOUT_S = 0.05
JITTER = 0.1
log = structlog.get_logger()


class Cache:
    """Values that open only under the key they were kept under."""

    def __init__(self, url: str, key: bytes) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None
        )
        self._key = key

    async def get(self, name: str) -> bytes | None:
        """What was kept under the name; None when nothing is, or the store is away."""
        try:
            sealed = await self._redis.get(name)
            return unseal(self._key, sealed, name) if isinstance(sealed, bytes) else None
        except (RedisError, OSError, TimeoutError, SealBroken) as error:
            log.warning("cache_read_failed", reason=type(error).__name__)
            return None

    async def put(self, name: str, value: bytes, ttl_s: float) -> None:
        """Keeps the value for about `ttl_s` seconds (±10 %: entries do not end together)."""
        spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load, hides nothing)
        try:
            await self._redis.set(
                name, seal(self._key, value, name), px=max(1, int(ttl_s * 1000 * spread))
            )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("cache_write_failed", reason=type(error).__name__)

    async def ping(self) -> None:
        """Nothing when the store answers; its error otherwise."""
        answer = self._redis.ping()
        if isinstance(answer, Awaitable):
            await answer

    async def close(self) -> None:
        await self._redis.aclose()
