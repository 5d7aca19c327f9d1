"""The unified profile: who may see it, what is still good, what has to be asked."""

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from student_hub.access.policy import may_see
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import HubError, InvalidInput
from student_hub.platform.security.caller import Caller, Scope
from student_hub.profiles.gathering import Gatherer, Reply
from student_hub.profiles.rendering import Whole, render_entry
from student_hub.profiles.shelf import Shelf
from student_hub.profiles.wanted import Wanted
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import Glance
from student_hub.students.service import Students

MOST_AT_ONCE = 100
SIDE_BY_SIDE = 8
DATABASE_S = 0.75
"""Of the two seconds that a profile may take; the nodes have 1.2 of them."""

Observe = Callable[[float, bool], None]
"""Told of every profile: seconds, and whether it came whole from the cache."""

log = structlog.get_logger()


class Profiles:
    """Profiles as JSON of the shape `UnifiedProfile`, cached ones without being parsed again."""

    def __init__(
        self,
        students: Students,
        gatherer: Gatherer,
        shelf: Shelf,
        observe: Observe,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._students = students
        self._gatherer = gatherer
        self._shelf = shelf
        self._observe = observe
        self._clock = clock

    async def get(
        self, caller: Caller, student_id: UUID, *, include_history: bool = True, days: int = 30
    ) -> bytes:
        """The student's profile over the last `days` days.

        Raises StudentNotFound for a student who does not exist or whom the caller may not see,
        and NotAllowed without the scope `read`; a node that fails costs only its own section.
        """
        started = time.perf_counter()
        caller.require(Scope.READ)
        wanted = await self._admit(caller, student_id, include_history, days)
        reply = await self._reply(wanted, await self._shelf.whole(wanted))
        self._tell(wanted, reply, time.perf_counter() - started)
        return reply.json

    async def get_many(
        self,
        caller: Caller,
        student_ids: Sequence[UUID],
        *,
        include_history: bool = True,
        days: int = 30,
    ) -> bytes:
        """Up to 100 profiles as `UnifiedProfiles`, in the order asked for, each failing alone."""
        started = time.perf_counter()
        caller.require(Scope.READ)
        if not 1 <= len(student_ids) <= MOST_AT_ONCE:
            raise InvalidInput.field("student_ids", f"must be 1 to {MOST_AT_ONCE}")
        admitted = await self._admit_each(caller, student_ids, include_history, days)
        present = [wanted for wanted in admitted if isinstance(wanted, Wanted)]
        found = await self._shelf.wholes(present)
        wholes = {wanted.name: whole for wanted, whole in zip(present, found, strict=True)}
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def entry(student_id: UUID, wanted: Wanted | HubError) -> bytes:
            if isinstance(wanted, HubError):
                return render_entry(student_id, wanted)
            async with places:
                reply = await self._reply(wanted, wholes[wanted.name])
            self._tell(wanted, reply, time.perf_counter() - started)
            return render_entry(student_id, reply.json)

        entries = await asyncio.gather(*map(entry, student_ids, admitted))
        return b'{"profiles":[%s]}' % b",".join(entries)

    async def _admit(
        self, caller: Caller, student_id: UUID, include_history: bool, days: int
    ) -> Wanted:
        glance = await self._recall(student_id)
        if not may_see(caller, glance.student):
            raise StudentNotFound
        return Wanted.of(glance, include_history=include_history, days=days)

    async def _recall(self, student_id: UUID) -> Glance:
        """Who the student is; a database that keeps silent must not use the whole deadline up."""
        try:
            async with asyncio.timeout(DATABASE_S):
                return await self._students.recall(student_id)
        except TimeoutError as error:
            raise DatabaseAway from error

    async def _admit_each(
        self, caller: Caller, student_ids: Sequence[UUID], include_history: bool, days: int
    ) -> list[Wanted | HubError]:
        """Each student's wanted profile, or why there is none."""
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def admit(student_id: UUID) -> Wanted | HubError:
            try:
                async with places:
                    return await self._admit(caller, student_id, include_history, days)
            except StudentNotFound as error:
                return error

        return await asyncio.gather(*map(admit, student_ids))

    async def _reply(self, wanted: Wanted, whole: Whole | None) -> Reply:
        now = self._clock()
        if whole is None or self._shelf.is_over(whole, now):
            return await self._gatherer.gather(wanted)
        if self._shelf.is_due(whole, now):
            self._gatherer.refresh(wanted)
        return Reply(whole.render(wanted.student, now), cached=True)

    def _tell(self, wanted: Wanted, reply: Reply, seconds: float) -> None:
        self._observe(seconds, reply.cached)
        log.info(
            "profile_fetched",
            student_id=str(wanted.student.id),
            cached=reply.cached,
            duration_ms=round(seconds * 1000, 1),
            nodes_called=reply.asked,
        )
