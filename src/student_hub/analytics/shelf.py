"""Keeps answers about classes for an hour (L3), sealed."""

from dataclasses import dataclass
from uuid import UUID

import orjson

from student_hub.analytics.schemas import ClassAnalytics
from student_hub.platform.cache.store import JITTER, Cache

TTL_S = 3_600 / (1 + JITTER)
"""With the spread that the cache adds, no answer is shown for more than an hour."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as JSON, and which students it names: the audit log is told of them."""

    named: tuple[UUID, ...]
    json: bytes

    @classmethod
    def of(cls, answer: ClassAnalytics) -> "Kept":
        named = {each.student_id for each in answer.at_risk}
        named |= {other for each in answer.at_risk for other in each.suggested_action.others}
        named |= {student for group in answer.groups for student in group.student_ids}
        return cls(tuple(sorted(named)), answer.model_dump_json(by_alias=True).encode())

    @classmethod
    def decode(cls, data: bytes) -> "Kept":
        """What `encode` made."""
        named, _, json = data.partition(b"\n")
        return cls(tuple(map(UUID, orjson.loads(named))), json)

    def encode(self) -> bytes:
        return b"%b\n%b" % (orjson.dumps(self.named, default=str), self.json)


class Shelf:
    """The cache of answers; a name says which state of the class an answer is about."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def get(self, name: str) -> Kept | None:
        data = await self._cache.get(name)
        return None if data is None else Kept.decode(data)

    async def keep(self, name: str, kept: Kept) -> None:
        await self._cache.put_many({name: (kept.encode(), TTL_S)})

    async def lease(self, name: str, seconds: float) -> str | None:
        """A token when nobody else gathers that just now, or when nobody can tell; None else."""
        return await self._cache.lease(f"lease:{name}", seconds)

    async def is_leased(self, name: str) -> bool:
        return await self._cache.is_leased(f"lease:{name}")

    async def release(self, name: str, token: str) -> None:
        await self._cache.release(f"lease:{name}", token)
