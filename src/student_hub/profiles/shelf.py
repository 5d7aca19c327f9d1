"""Keeps whole profiles for minutes and nodes' answers for a day; trusts neither too long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.profiles.rendering import Whole
from student_hub.profiles.sections import Sections, decode, encode
from student_hub.profiles.wanted import Wanted

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

    def is_due(self, whole: Whole, now: datetime) -> bool:
        """Whether its time to live is over, so that a new one should be gathered."""
        return whole.age_s(now) >= self._ttl.total_seconds()

    def is_over(self, whole: Whole, now: datetime) -> bool:
        """Whether its grace is over too, so that it must not be shown any more."""
        return whole.age_s(now) >= (self._ttl + GRACE).total_seconds()

    async def sections(self, wanted: Wanted, now: datetime) -> tuple[Sections, Sections]:
        """Nodes' answers: the fresh ones, and those that will do when a node fails."""
        nodes = sorted(wanted.nodes)
        found = await self._cache.get_many([wanted.section_name(node) for node in nodes])
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
            wanted.section_name(node): self._entry(wanted, node, answers) for node in answers
        }
        if whole is not None:
            entries[wanted.name] = (whole.encode(), (self._ttl + GRACE).total_seconds())
        if entries:
            await self._cache.put_many(entries)

    def _entry(self, wanted: Wanted, node: NodeName, answers: Sections) -> tuple[bytes, float]:
        data = encode(answers[node], wanted.section_generation(node))
        return data, LAST_GOOD.total_seconds()
