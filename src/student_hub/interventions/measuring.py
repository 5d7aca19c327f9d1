"""Abilities at the start and end of interventions, and what became of those who had one."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from student_hub.interventions import repository
from student_hub.interventions.ability import Compared, ability_of, courses, effect_of, hidden
from student_hub.interventions.lifecycle import Phase, Status
from student_hub.interventions.models import AbilityRow
from student_hub.interventions.schemas import EffectOfMany, Scope
from student_hub.nodes.errors import NodeFailed
from student_hub.nodes.q_dna import QDna
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.security.caller import SYSTEM, Caller
from student_hub.platform.security.caller import Scope as CredentialScope
from student_hub.students.schemas import StudentFilter
from student_hub.students.service import Students

MOST_OTHERS = 40
AT_ONCE = 8
FEWEST_SHOWN = 5
"""A change of fewer students is shown to nobody but who sees the whole scope."""
Abilities = Mapping[UUID, float]


class Measuring:
    """Asks node 2 for masteries, keeps them as abilities, and compares."""

    def __init__(self, db: Database, students: Students, q_dna: QDna, clock: Clock) -> None:
        self._db = db
        self._students = students
        self._q_dna = q_dna
        self._clock = clock

    async def ask(self, intervention_id: UUID, phase: Phase) -> tuple[UUID, Abilities] | None:
        """The treated student and the abilities that could be had; None when there is no need.

        NodeFailed when not even the treated student's could be had.
        """
        async with self._db.transaction(SYSTEM) as tx:
            row = await repository.one(tx, intervention_id)
            if row is None or await self._students.not_open(tx, [row.student_id]):
                return None
            others = await self._others(tx, intervention_id, row.student_id, phase)
        mine = await self._ability(row.student_id)
        if mine is None:
            return None
        places = asyncio.Semaphore(AT_ONCE)
        found = await asyncio.gather(*(self._if_known(other, places) for other in others))
        theirs = {
            who: ability for who, ability in zip(others, found, strict=True) if ability is not None
        }
        return row.student_id, {row.student_id: mine, **theirs}

    async def keep(
        self,
        tx: Transaction,
        intervention_id: UUID,
        phase: Phase,
        measured: tuple[UUID, Abilities],
    ) -> None:
        """Writes them down; of students who are still there."""
        treated, abilities = measured
        there = await self._students.existing(tx, sorted(abilities))
        there -= (await self._students.not_open(tx, there)).keys()
        if treated not in there or await repository.one(tx, intervention_id) is None:
            return
        rows = [
            {
                "intervention_id": intervention_id,
                "student_id": who,
                "phase": phase.value,
                "treated": who == treated,
                "ability": ability,
                "at": self._clock(),
            }
            for who, ability in abilities.items()
            if who in there
        ]
        await repository.keep_abilities(tx, rows)

    async def effect(self, caller: Caller, scope: Scope) -> EffectOfMany:
        """What the completed interventions of a school, grade or class changed.

        Of the students whom the caller sees; without figures when they are fewer than five and the
        caller does not see everybody.
        """
        caller.require(CredentialScope.READ)
        async with self._db.transaction(caller) as tx:
            ids = await self._students.ids_in(tx, _filter(scope))
        async with self._db.transaction(SYSTEM) as tx:
            effect = await self.effect_among(tx, ids)
        return effect if caller.sees_all else shown_of_few(effect)

    async def effect_among(self, tx: Transaction, ids: Sequence[UUID]) -> EffectOfMany:
        """The effect over these students' completed interventions; the transaction sees all."""
        rows = await repository.of_students(tx, ids, Status.COMPLETED)
        kept = await repository.abilities(tx, [row.id for row in rows])
        return effect_of(list(_compared(kept)))

    async def _others(
        self, tx: Transaction, intervention_id: UUID, student_id: UUID, phase: Phase
    ) -> list[UUID]:
        if phase is Phase.END:
            started = await repository.abilities(tx, [intervention_id], Phase.START)
            others = [row.student_id for row in started if not row.treated]
            return await self._untreated(tx, others)
        student = await self._students.require(tx, student_id)
        grade = StudentFilter(school_id=student.school_id, grade=student.grade)
        mates = [each for each in await self._students.ids_in(tx, grade) if each != student_id]
        free = await self._untreated(tx, mates)
        # Spread over the grade: ids are in the order in which the students came.
        step = max(1, len(free) // MOST_OTHERS)
        return free[::step][:MOST_OTHERS]

    async def _untreated(self, tx: Transaction, ids: Sequence[UUID]) -> list[UUID]:
        """Those who never had a plan that was begun, and whose data may be processed."""
        treated = await repository.ever_planned(tx, ids)
        closed = await self._students.not_open(tx, ids)
        return [each for each in ids if each not in treated and each not in closed]

    async def _if_known(self, student_id: UUID, places: asyncio.Semaphore) -> float | None:
        async with places:
            try:
                return await self._ability(student_id)
            except NodeFailed:
                return None

    async def _ability(self, student_id: UUID) -> float | None:
        answered = await self._q_dna.mastery_levels(student_id)
        overall = answered.value.overall
        return None if overall is None else ability_of(overall)


def shown_of_few(effect: EffectOfMany) -> EffectOfMany:
    """The effect, without figures where it is of fewer than five students."""
    return effect if effect.n >= FEWEST_SHOWN else hidden(effect)


def _filter(scope: Scope) -> StudentFilter:
    return StudentFilter(**scope.model_dump(exclude_none=True))


def _compared(rows: Iterable[AbilityRow]) -> Iterable[Compared]:
    by_plan: dict[UUID, list[AbilityRow]] = {}
    for row in rows:
        by_plan.setdefault(row.intervention_id, []).append(row)
    for of_plan in by_plan.values():
        start = {row.student_id: row.ability for row in of_plan if row.phase == Phase.START.value}
        end = {row.student_id: row.ability for row in of_plan if row.phase == Phase.END.value}
        treated = [row.student_id for row in of_plan if row.treated]
        mine = courses(start, end, sorted(set(treated)))
        others = courses(start, end, sorted(start.keys() - set(treated)))
        if mine:
            yield Compared(mine[0], others)
