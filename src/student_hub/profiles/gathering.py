"""Gathers a profile that is not in the cache: once for all who want it, here and elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from student_hub.platform.cache.flights import Flights
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import Clock
from student_hub.profiles.asking import ProfileNodes, ask_all
from student_hub.profiles.assembly import Gathered, assemble
from student_hub.profiles.rendering import Whole
from student_hub.profiles.sections import Sections
from student_hub.profiles.shelf import Shelf
from student_hub.profiles.wanted import Wanted

LEASE_S = 2.0
LOOK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Reply:
    """A profile as JSON, whether no node was asked for it, and which ones were."""

    json: bytes
    cached: bool
    asked: tuple[str, ...] = ()


class Gatherer:
    """Asks the nodes for what no cache has; concurrent wishes for one profile become one."""

    def __init__(
        self, nodes: ProfileNodes, shelf: Shelf, cache: Cache, clock: Clock, deadline_s: float
    ) -> None:
        self._nodes = nodes
        self._shelf = shelf
        self._cache = cache
        self._clock = clock
        self._deadline_s = deadline_s
        self._flights: Flights[Reply] = Flights()
        self._renewals: Flights[None] = Flights()

    async def gather(self, wanted: Wanted) -> Reply:
        """The profile; in this process one gathering serves all who want the same."""
        return await self._flights.join(wanted.name, lambda: self._once_everywhere(wanted))

    def refresh(self, wanted: Wanted) -> None:
        """Gathers anew in the background, unless that is under way here or elsewhere."""
        self._renewals.start(wanted.name, lambda: self._renew(wanted))

    @property
    def is_busy(self) -> bool:
        """Whether something is being gathered."""
        return self._flights.in_flight + self._renewals.in_flight > 0

    async def settle(self) -> None:
        """Waits for all that is being gathered in the background."""
        await self._flights.settle()
        await self._renewals.settle()

    async def close(self) -> None:
        await self._flights.close()
        await self._renewals.close()

    async def _once_everywhere(self, wanted: Wanted) -> Reply:
        async with self._lease(wanted) as mine:
            found = None if mine else await self._await_other(wanted)
            return found or await self._gather(wanted)

    async def _renew(self, wanted: Wanted) -> None:
        async with self._lease(wanted) as mine:
            if mine:
                await self._gather(wanted, renew=True)

    @asynccontextmanager
    async def _lease(self, wanted: Wanted) -> AsyncIterator[bool]:
        """Whether this process is the one to gather the profile, for as long as the block lasts."""
        name = _lease_name(wanted)
        token = await self._cache.lease(name, LEASE_S)
        try:
            yield token is not None
        finally:
            if token is not None:
                await self._cache.release(name, token)

    async def _await_other(self, wanted: Wanted) -> Reply | None:
        """What another process gathers meanwhile; None when it comes to nothing whole."""
        for _ in range(int(self._deadline_s / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            whole = await self._shelf.whole(wanted)
            if whole is not None:
                return Reply(whole.render(wanted.student, self._clock()), cached=True)
            if not await self._cache.is_leased(_lease_name(wanted)):
                return None
        return None

    async def _gather(self, wanted: Wanted, *, renew: bool = False) -> Reply:
        kept, last_good = await self._shelf.sections(wanted, self._clock())
        if renew:
            kept = {}
        missing = sorted(wanted.nodes - kept.keys())
        deadline = time.monotonic() + self._deadline_s
        calls = {node: self._nodes.call(node, wanted, deadline) for node in missing}
        outcome = await ask_all(calls, self._deadline_s)
        stale: Sections = {n: last_good[n] for n in outcome.failed if n in last_good}
        gathered = Gathered(kept, outcome, stale)
        profile = assemble(wanted.student, gathered, self._clock())
        whole = Whole.of(profile, gathered.shown) if gathered.is_whole else None
        await self._shelf.keep(wanted, outcome.good, whole)
        json = profile.model_dump_json().encode()
        return Reply(json, profile.cached, tuple(node.value for node in missing))


def _lease_name(wanted: Wanted) -> str:
    return f"lease:{wanted.name}"
