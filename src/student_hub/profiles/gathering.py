"""Gathers a profile that is not in the cache: once for all who want it, here and elsewhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from student_hub.platform.cache.flights import Flights
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import Fact
from student_hub.profiles.asking import ProfileNodes, ask_all
from student_hub.profiles.assembly import Gathered, assemble
from student_hub.profiles.errors import TooBusy
from student_hub.profiles.sections import Sections
from student_hub.profiles.shelf import Shelf
from student_hub.profiles.turns import Turns
from student_hub.profiles.wanted import Wanted

LEASE_S = 2.0
LOOK_EVERY_S = 0.01
AT_ONCE = 32
"""Gatherings at a time: enough for all places of the nodes (16 each) and one queue behind them."""
LONGEST_WAIT_S = 0.75
"""For a turn; as much for the database before it and half a second for a node make two."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A profile as JSON, whether no node was asked for it, and which ones were."""

    json: bytes
    cached: bool
    asked: tuple[str, ...] = ()

    def facts(self, student_id: UUID) -> dict[str, Fact]:
        """What the log is told of it."""
        return {
            "event": "profile_fetched",
            "student_id": str(student_id),
            "cached": self.cached,
            "nodes_called": list(self.asked),
        }


Active = Callable[[UUID], Awaitable[bytes]]
"""The interventions of a student that are under way, as a JSON list."""


class Gatherer:
    """Asks the nodes for what no cache has; concurrent wishes for one profile become one."""

    def __init__(
        self,
        nodes: ProfileNodes,
        shelf: Shelf,
        cache: Cache,
        clock: Clock,
        deadline_s: float,
        active: Active,
    ) -> None:
        self._nodes = nodes
        self._shelf = shelf
        self._cache = cache
        self._clock = clock
        self._deadline_s = deadline_s
        self._active = active
        self._turns = Turns(AT_ONCE, LONGEST_WAIT_S)
        self._flights: Flights[Reply] = Flights()
        self._renewals: Flights[None] = Flights()

    async def gather(self, wanted: Wanted) -> Reply:
        """The profile; in this process one gathering serves all who want the same.

        TooBusy when too many others are being gathered to begin with this one in time.
        """
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
        found = await self._if_mine(wanted) or await self._await_other(wanted)
        if found is not None:
            return found
        async with self._turns.turn():
            gathered = await self._ask(wanted, await self._shelved(wanted))
            await self._shelf.keep(wanted, gathered.outcome.good, gathered.whole)
            return self._reply(wanted, gathered)

    async def _renew(self, wanted: Wanted) -> None:
        with suppress(TooBusy):
            await self._if_mine(wanted, renew=True)

    async def _if_mine(self, wanted: Wanted, *, renew: bool = False) -> Reply | None:
        """The profile; None when another process is gathering it just now.

        What is sent to the store in one turn of the loop is one round trip: the lease is asked for
        with the sections, and given back behind what is kept.
        """
        name = f"lease:{wanted.name}"
        async with self._turns.turn():
            leasing = asyncio.create_task(self._cache.lease(name, LEASE_S))
            shelved = await self._shelved(wanted)
            token = await leasing
            if token is None:
                return None
            try:
                gathered = await self._ask(wanted, shelved, renew=renew)
                kept = self._shelf.keep(wanted, gathered.outcome.good, gathered.whole)
                keeping = asyncio.create_task(kept)
            finally:
                await asyncio.create_task(self._cache.release(name, token))
            await keeping
            return self._reply(wanted, gathered)

    async def _await_other(self, wanted: Wanted) -> Reply | None:
        """What another process gathers meanwhile; None when it comes to nothing whole."""
        for _ in range(int(self._deadline_s / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            whole = await self._shelf.whole(wanted)
            if whole is not None:
                return Reply(whole.render(wanted.student, self._clock()), cached=True)
            if not await self._cache.is_leased(f"lease:{wanted.name}"):
                return None
        return None

    async def _shelved(self, wanted: Wanted) -> tuple[Sections, Sections]:
        return await self._shelf.sections(wanted, self._clock())

    async def _ask(
        self, wanted: Wanted, shelved: tuple[Sections, Sections], *, renew: bool = False
    ) -> Gathered:
        kept, last_good = ({}, shelved[1]) if renew else shelved
        missing = sorted(wanted.nodes - kept.keys())
        deadline = time.monotonic() + self._deadline_s
        calls = {node: self._nodes.call(node, wanted, deadline) for node in missing}
        active = asyncio.create_task(self._active_of(wanted))
        outcome = await ask_all(calls, self._deadline_s)
        stale: Sections = {n: last_good[n] for n in outcome.failed if n in last_good}
        return Gathered(kept, outcome, stale, await active)

    async def _active_of(self, wanted: Wanted) -> bytes | None:
        """Read after the generation that the profile is kept under, so never older than it."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._active(wanted.student.id)
        except (DatabaseAway, TimeoutError):
            return None

    def _reply(self, wanted: Wanted, gathered: Gathered) -> Reply:
        json = assemble(wanted.student, gathered, self._clock())
        return Reply(json, gathered.is_cached, tuple(node.value for node in gathered.asked))
