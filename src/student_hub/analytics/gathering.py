"""Gathers a class that no cache has: once for all who want it, here and in other processes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from student_hub.analytics.analysis import analyse
from student_hub.analytics.asking import Answers, ClassNodes
from student_hub.analytics.learners import Day, Gathered, Habits, Learner
from student_hub.analytics.places import Place
from student_hub.analytics.plans import Plans
from student_hub.analytics.repository import ClassRepository
from student_hub.analytics.shelf import Kept, Shelf
from student_hub.analytics.window import Window
from student_hub.platform.cache.flights import Flights
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import Caller
from student_hub.students.service import Students

DEADLINE_S = 10.0
LEASE_S = 15.0
LOOK_EVERY_S = 0.05
NOTHING_DONE = Habits()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A class in one state over one window, for its own teacher or for others.

    Another state, window, day or reader is another name.
    """

    place: Place
    window: Window
    own: bool
    mark: str

    @property
    def name(self) -> str:
        """Its name in the cache."""
        reader = "own" if self.own else "any"
        return (
            f"analytics:{self.place.id}:{self.window.today}:{self.window.days}:{reader}:{self.mark}"
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What PostgreSQL says of a class."""

    ids: Sequence[UUID]
    left_out: int
    habits: dict[UUID, Habits]
    days: list[Day]


class ClassGatherer:
    """Reads, asks, computes; keeps what is whole."""

    def __init__(
        self,
        db: Database,
        students: Students,
        nodes: ClassNodes,
        plans: Plans,
        shelf: Shelf,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._db = db
        self._students = students
        self._nodes = nodes
        self._plans = plans
        self._shelf = shelf
        self._deadline_s = deadline_s
        self._rows = ClassRepository()
        self._flights: Flights[Kept] = Flights()

    async def gather(self, caller: Caller, wanted: Wanted) -> Kept:
        """The answer; one gathering serves all who want the same."""
        return await self._flights.join(wanted.name, lambda: self._once(caller, wanted))

    async def close(self) -> None:
        await self._flights.close()

    async def _once(self, caller: Caller, wanted: Wanted) -> Kept:
        token = await self._shelf.lease(wanted.name, LEASE_S)
        if token is None:
            found = await self._await_other(wanted)
            return found or await self._gather(caller, wanted)
        try:
            return await self._gather(caller, wanted)
        finally:
            await self._shelf.release(wanted.name, token)

    async def _await_other(self, wanted: Wanted) -> Kept | None:
        """What another process gathers meanwhile; None when it comes to nothing whole."""
        for _ in range(int(self._deadline_s / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            found = await self._shelf.get(wanted.name)
            if found is not None:
                return found
            if not await self._shelf.is_leased(wanted.name):
                return await self._shelf.get(wanted.name)
        return None

    async def _gather(self, caller: Caller, wanted: Wanted) -> Kept:
        read = await self._read(caller, wanted)
        deadline = time.monotonic() + self._deadline_s
        plans = await self._plans.of_students(read.ids)
        answers = await self._nodes.ask(read.ids, wanted.window.begins, deadline)
        gathered = _together(read, answers)
        # A grade takes seconds to compute, in which the loop must go on serving others.
        answer = await asyncio.to_thread(
            analyse, wanted.place, wanted.window, gathered, plans, own=wanted.own
        )
        kept = Kept.of(answer)
        if gathered.whole:
            await self._shelf.keep(wanted.name, kept)
        return kept

    async def _read(self, caller: Caller, wanted: Wanted) -> _Read:
        async with self._db.transaction(caller) as tx:
            everybody = await self._rows.roster(tx, wanted.place)
            closed = await self._students.not_open(tx, everybody)
            ids = [student for student in everybody if student not in closed]
            return _Read(
                ids,
                len(closed),
                await self._rows.habits(tx, ids, wanted.window),
                await self._rows.days(tx, ids, wanted.window),
            )


def _together(read: _Read, answers: Answers) -> Gathered:
    then = answers.then or {}
    learners = [
        Learner(
            student,
            answers.knowledge.get(student),
            answers.now.get(student),
            then.get(student),
            read.habits.get(student, NOTHING_DONE),
        )
        for student in read.ids
    ]
    compares = answers.then is not None
    return Gathered(learners, read.left_out, read.days, answers.names, compares, answers.whole)
