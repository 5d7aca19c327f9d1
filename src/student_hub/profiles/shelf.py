"""Keeps whole profiles for minutes and nodes' answers for a day; trusts neither too long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.profiles.rendering import Whole
from student_hub.profiles.sections import Sections, decode, encode
from student_hub.profiles.wanted import Wanted, all_names

SECTION_FRESH = timedelta(seconds=60)
LAST_GOOD = timedelta(hours=24)
GRACE = timedelta(seconds=60)
"""So long after its time to live a profile is still shown while a new one is gathered."""


class Shelf:
    """The caches of the profile; what it gives back says itself how old it is."""

    def __init__(self, cache: Cache, ttl_s: float) -> None:
        self._cache = cache
        self._ttl = timedelta(seconds=ttl_s)

    async def whole(self, wanted: Wanted) -> Whole | None:
        """The whole profile, at most a grace time older than its time to live."""
        return Whole.decode(await self._cache.get(wanted.name))

    async def wholes(self, wanted: Sequence[Wanted]) -> list[Whole | None]:
        """The whole profiles, in one round trip."""
        found = await self._cache.get_many([each.name for each in wanted])
        return [Whole.decode(data) for data in found]

    async def forget(self, student_id: UUID, generation: int) -> None:
        """Takes out all that can be kept of a student who is no more, under whichever window.

        What was kept for an earlier generation ends by itself within minutes.
        """
        await self._cache.forget(list(all_names(student_id, generation)))

    def is_due(self, age_s: float) -> bool:
        """Whether a whole profile's time to live is over, so that a new one should be gathered."""
        return age_s >= self._ttl.total_seconds()

    def is_over(self, age_s: float) -> bool:
        """Whether its grace is over too, so that it must not be shown any more."""
        return age_s >= (self._ttl + GRACE).total_seconds()

    async def sections(self, wanted: Wanted, now: datetime) -> tuple[Sections, Sections]:
        """Nodes' answers: the fresh ones, and those that will do when a node fails."""
        nodes = sorted(wanted.nodes)
        found = await self._cache.get_many([wanted.section_names[node] for node in nodes])
        fresh: Sections = {}
        last_good: Sections = {}
        for node, data in zip(nodes, found, strict=True):
            kept = decode(node, data)
            if kept is None or now - kept.section.at >= LAST_GOOD:
                continue
            last_good[node] = kept.section
            current = kept.generation == wanted.section_generation(node)
            if current and now - kept.section.at < SECTION_FRESH:
                fresh[node] = kept.section
        return fresh, last_good

    async def keep(self, wanted: Wanted, answers: Sections, whole: Whole | None) -> None:
        """Keeps good answers, and the whole profile when there is one, in one round trip."""
        entries = {
            wanted.section_names[node]: self._entry(wanted, node, answers) for node in answers
        }
        if whole is not None:
            entries[wanted.name] = (whole.encode(), (self._ttl + GRACE).total_seconds())
        if entries:
            await self._cache.put_many(entries)

    def _entry(self, wanted: Wanted, node: NodeName, answers: Sections) -> tuple[bytes, float]:
        data = encode(node, answers[node], wanted.section_generation(node))
        return data, LAST_GOOD.total_seconds()
