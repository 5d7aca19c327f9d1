"""The unified profile: who may see it, what is still good, what has to be asked."""

import time
from collections.abc import Callable, Iterable
from uuid import UUID

import structlog

from student_hub.access.policy import may_see
from student_hub.nodes.registry import NodeName
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import Caller, Scope
from student_hub.profiles.asking import Outcome, ProfileNodes, ask_all
from student_hub.profiles.assembly import assemble
from student_hub.profiles.schemas import UnifiedProfile
from student_hub.profiles.sections import KINDS, Sections
from student_hub.profiles.shelf import Shelf
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import Glance
from student_hub.students.service import Students

Observe = Callable[[float, bool], None]
"""Told of every profile: seconds, and whether it came whole from the cache."""

log = structlog.get_logger()


class Profiles:
    """Gathers one student's profile."""

    def __init__(
        self,
        db: Database,
        students: Students,
        nodes: ProfileNodes,
        shelf: Shelf,
        observe: Observe,
        *,
        deadline_s: float,
        clock: Clock = utc_now,
    ) -> None:
        self._db = db
        self._students = students
        self._nodes = nodes
        self._shelf = shelf
        self._observe = observe
        self._deadline_s = deadline_s
        self._clock = clock

    async def get(
        self, caller: Caller, student_id: UUID, *, include_history: bool = True, days: int = 30
    ) -> UnifiedProfile:
        """The student's profile over the last `days` days.

        Raises StudentNotFound for a student who does not exist or whom the caller may not see,
        and NotAllowed without the scope `read`; a node that fails costs only its own section.
        """
        started = time.perf_counter()
        glance = await self._admit(caller, student_id)
        wanted = {node for node in KINDS if include_history or node is not NodeName.LAB}
        kept = await self._shelf.current(student_id, days, glance.generation, self._clock())
        outcome = await self._ask(glance, wanted - kept.keys(), days)
        stale = await self._fall_back(glance, days, kept, outcome)
        profile = assemble(glance.student, wanted, kept, outcome, stale, self._clock())
        self._tell(profile, time.perf_counter() - started, wanted - kept.keys())
        return profile

    async def _admit(self, caller: Caller, student_id: UUID) -> Glance:
        caller.require(Scope.READ)
        async with self._db.transaction() as tx:
            glance = await self._students.glance(tx, student_id)
        if not may_see(caller, glance.student):
            raise StudentNotFound
        return glance

    async def _ask(self, glance: Glance, missing: Iterable[NodeName], days: int) -> Outcome:
        student = glance.student
        calls = {
            node: self._nodes.call(node, student.id, student.school_id, days) for node in missing
        }
        return await ask_all(calls, self._deadline_s)

    async def _fall_back(
        self, glance: Glance, days: int, kept: Sections, outcome: Outcome
    ) -> Sections:
        """Last good answers for the nodes that failed; keeps what the others answered."""
        if not outcome.good and not outcome.failed:
            return {}
        student_id = glance.student.id
        last_good = await self._shelf.last_good(student_id, days)
        current = {**kept, **outcome.good}
        if outcome.good:
            await self._shelf.keep(student_id, days, glance.generation, current, last_good)
        return {node: last_good[node] for node in outcome.failed if node in last_good}

    def _tell(self, profile: UnifiedProfile, seconds: float, asked: Iterable[NodeName]) -> None:
        self._observe(seconds, profile.cached)
        log.info(
            "profile_fetched",
            student_id=str(profile.student_id),
            cached=profile.cached,
            duration_ms=round(seconds * 1000, 1),
            nodes_called=sorted(node.value for node in asked),
        )
