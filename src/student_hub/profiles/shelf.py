"""Keeps good sections: for minutes as the current ones, for a day as the last good ones."""

from datetime import datetime, timedelta
from uuid import UUID

from student_hub.platform.cache.store import Cache
from student_hub.profiles.sections import Sections, decode, encode

LAST_GOOD_S = 24 * 3600


class Shelf:
    """Sections by student, window and generation; a new generation leaves the old ones behind."""

    def __init__(self, cache: Cache, ttl_s: float) -> None:
        self._cache = cache
        self._ttl = timedelta(seconds=ttl_s)

    async def current(
        self, student_id: UUID, days: int, generation: int, now: datetime
    ) -> Sections:
        """The good sections of this generation that are younger than the time to live."""
        kept = decode(await self._cache.get(_current(student_id, days, generation)))
        return {node: section for node, section in kept.items() if now - section.at < self._ttl}

    async def last_good(self, student_id: UUID, days: int) -> Sections:
        """The last good sections of any generation, up to a day old."""
        return decode(await self._cache.get(_last_good(student_id, days)))

    async def keep(
        self, student_id: UUID, days: int, generation: int, current: Sections, last_good: Sections
    ) -> None:
        """Keeps the current sections, and with them the last good ones of nodes that failed."""
        if not current:
            return
        ttl = self._ttl.total_seconds()
        await self._cache.put(_current(student_id, days, generation), encode(current), ttl)
        await self._cache.put(
            _last_good(student_id, days), encode({**last_good, **current}), LAST_GOOD_S
        )


def _current(student_id: UUID, days: int, generation: int) -> str:
    return f"profile:{student_id}:{days}:{generation}"


def _last_good(student_id: UUID, days: int) -> str:
    return f"profile-last-good:{student_id}:{days}"
