"""Sealed bytes in Redis or Valkey. Its absence makes the hub slower, never wrong."""

import random
import secrets
from collections.abc import Mapping, Sequence

import structlog

from student_hub.platform.cache.line import Line
from student_hub.platform.cache.resp import Reply, command
from student_hub.platform.cache.wire import Away
from student_hub.platform.security.sealing import SealBroken, seal, unseal

JITTER = 0.1
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"
log = structlog.get_logger()


class StoreAway(ConnectionError):
    """The store gave no answer."""


class Cache:
    """Values that open only under the name they were kept under; see `Line` for the store's lacks.

    What is asked for within one turn of the loop goes out together, in the order asked.
    """

    def __init__(self, url: str, key: bytes) -> None:
        self.line = Line(url)
        self._key = key

    async def get(self, name: str) -> bytes | None:
        """What was kept under the name; None when nothing is, or the store is away."""
        raw = name.encode()
        return self._open(name, await self.line.send(GET % (len(raw), raw)))

    async def get_many(self, names: Sequence[str]) -> list[bytes | None]:
        """What was kept under each of the names, in one round trip."""
        if not names:
            return []
        values = await self.line.ask(b"MGET", *names)
        if not isinstance(values, list):
            return [None] * len(names)
        return [self._open(name, value) for name, value in zip(names, values, strict=True)]

    async def put_many(self, values: Mapping[str, tuple[bytes, float]]) -> None:
        """Keeps each value for about so many seconds (±10 %: they do not end together)."""
        places = []
        for name, (value, ttl_s) in values.items():
            spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (hides nothing)
            lifetime = max(1, int(ttl_s * 1000 * spread))
            sealed = seal(self._key, value, name)
            places.append(self.line.ask(b"SET", name, sealed, b"PX", lifetime))
        for place in places:
            await place

    async def forget(self, names: Sequence[str]) -> None:
        """Takes out whatever is kept under the names; StoreAway when the store cannot be told."""
        if not isinstance(await self.line.ask(b"UNLINK", *names), int):
            raise StoreAway

    async def lease(self, name: str, seconds: float) -> str | None:
        """A token when nobody else holds the name now, or when nobody can tell; None else."""
        token = secrets.token_hex(8)
        lifetime = int(seconds * 1000)
        taken = await self.line.ask(b"SET", name, token, b"NX", b"PX", lifetime)
        return None if taken is None else token

    async def is_leased(self, name: str) -> bool:
        """Whether somebody holds the name."""
        return isinstance(await self.line.ask(b"GET", name), bytes)

    async def release(self, name: str, token: str) -> None:
        """Gives the name back, if the token still holds it."""
        await self.line.ask(b"EVAL", RELEASE, 1, name, token)

    async def ping(self) -> None:
        """Nothing when the store answers; StoreAway otherwise."""
        if await self.line.send(PING) != b"PONG":
            raise StoreAway

    async def close(self) -> None:
        await self.line.close()

    def _open(self, name: str, sealed: Reply | Away) -> bytes | None:
        if not isinstance(sealed, bytes):
            return None
        try:
            return unseal(self._key, sealed, name)
        except SealBroken:
            log.warning("cache_entry_broken")
            return None


GET = b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n"
PING = command(b"PING")
