"""The unified profile: who may see it, what is still good, what has to be asked."""

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from student_hub.access.audit.schemas import Action, Outcome
from student_hub.access.audit.service import Audit
from student_hub.access.policy import may_see
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import HubError, InvalidInput
from student_hub.platform.limits.permit import UNLIMITED, Permit
from student_hub.platform.security.caller import Caller, Scope
from student_hub.profiles.assembly import closed
from student_hub.profiles.errors import TooBusy
from student_hub.profiles.gathering import Gatherer, Reply
from student_hub.profiles.rendering import Whole, render_entry
from student_hub.profiles.shelf import Shelf
from student_hub.profiles.wanted import Wanted
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import Glance
from student_hub.students.schemas import State as Permission
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
        audit: Audit,
        observe: Observe,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._students = students
        self._gatherer = gatherer
        self._shelf = shelf
        self._audit = audit
        self._observe = observe
        self._clock = clock

    async def get(
        self, caller: Caller, student_id: UUID, *, include_history: bool = True, days: int = 30
    ) -> bytes:
        """The JSON of what `reply` gives."""
        reply = await self.reply(caller, student_id, include_history=include_history, days=days)
        return reply.json

    async def reply(
        self,
        caller: Caller,
        student_id: UUID,
        *,
        include_history: bool = True,
        days: int = 30,
        permit: Permit = UNLIMITED,
    ) -> Reply:
        """The student's profile over the last `days` days.

        Raises StudentNotFound for a student who does not exist or whom the caller may not see,
        and NotAllowed without the scope `read`; a node that fails costs only its own section.
        RateLimited is raised before a database or a node is asked, or the answer is given; only
        what this process and the cache know is read meanwhile.
        """
        started = time.perf_counter()
        caller.require(Scope.READ)
        with self._audit.refusals(caller, Action.PROFILE_READ, [student_id]):
            wanted = await self._admit(caller, student_id, include_history, days, permit)
        whole = await self._shelf.whole(wanted)
        await permit.granted()
        reply = await self._reply(wanted, whole)
        self._audit.saw(caller, Action.PROFILE_READ, [student_id])
        self._observe(time.perf_counter() - started, reply.cached)
        return reply

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
            try:
                async with places:
                    reply = await self._reply(wanted, wholes[wanted.name])
            except TooBusy as error:
                return render_entry(student_id, error)
            self._tell(wanted, reply, time.perf_counter() - started)
            return render_entry(student_id, reply.json)

        entries = await asyncio.gather(*map(entry, student_ids, admitted))
        self._note(caller, student_ids, [wanted.student.id for wanted in present])
        return b'{"profiles":[%s]}' % b",".join(entries)

    async def _admit(
        self,
        caller: Caller,
        student_id: UUID,
        include_history: bool,
        days: int,
        permit: Permit = UNLIMITED,
    ) -> Wanted:
        glance = self._students.remembered(caller, student_id)
        if glance is None:
            await permit.granted()
            glance = await self._recall(caller, student_id)
        if not may_see(caller, glance.student):
            raise StudentNotFound
        return Wanted.of(glance, include_history=include_history, days=days)

    async def _recall(self, caller: Caller, student_id: UUID) -> Glance:
        """Who the student is; a database that keeps silent must not use the whole deadline up."""
        try:
            async with asyncio.timeout(DATABASE_S):
                return await self._students.recall(caller, student_id)
        except TimeoutError as error:
            raise DatabaseAway from error

    async def _admit_each(
        self, caller: Caller, student_ids: Sequence[UUID], include_history: bool, days: int
    ) -> list[Wanted | HubError]:
        """Each student's wanted profile, or why there is none; their rows are read together."""

        async def admit(student_id: UUID) -> Wanted | HubError:
            try:
                return await self._admit(caller, student_id, include_history, days)
            except StudentNotFound as error:
                return error

        return await asyncio.gather(*map(admit, student_ids))

    async def _reply(self, wanted: Wanted, whole: Whole | None) -> Reply:
        now = self._clock()
        if wanted.permission is not Permission.OPEN:
            return Reply(closed(wanted.student, wanted.permission, now), cached=False)
        age_s = None if whole is None else whole.age_s(now)
        if whole is None or age_s is None or self._shelf.is_over(age_s):
            return await self._gatherer.gather(wanted)
        if self._shelf.is_due(age_s):
            self._gatherer.refresh(wanted)
        return Reply(whole.render(wanted.student, now), cached=True)

    def _note(self, caller: Caller, asked: Sequence[UUID], seen: Sequence[UUID]) -> None:
        if seen:
            self._audit.saw(caller, Action.PROFILE_READ, seen)
        if refused := sorted(set(asked) - set(seen)):
            self._audit.saw(caller, Action.PROFILE_READ, refused, outcome=Outcome.REFUSED)

    def _tell(self, wanted: Wanted, reply: Reply, seconds: float) -> None:
        self._observe(seconds, reply.cached)
        log.info(
            "profile_fetched",
            student_id=str(wanted.student.id),
            cached=reply.cached,
            duration_ms=round(seconds * 1000, 1),
            nodes_called=reply.asked,
        )
