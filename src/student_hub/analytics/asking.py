"""Asks nodes 1 and 2 about all students of a class: in batches where they can, under one deadline.

Who cannot be had is left out and counted; nothing is put in their place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from student_hub.analytics.learners import Concept, Level
from student_hub.analytics.statistics.scale import belief_of
from student_hub.nodes.batches import MOST_LEVELS, MOST_STATES, KnowledgeOf, LevelOf
from student_hub.nodes.errors import NodeFailed
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.schemas import ConceptState, KnowledgeState, MasteryLevels, Share, Term

AT_ONCE = 8
"""Calls to a node at a time: half of its places, so that profiles have the others."""

T = TypeVar("T")
Batch = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, T] | None]]
Single = Callable[[UUID], Awaitable[T]]


@dataclass(slots=True)
class Answers:
    """What the nodes said, by student. `then` is how far they were when the window began.

    It is None where node 2 cannot tell; `whole` says that nobody failed.
    """

    knowledge: Mapping[UUID, Mapping[str, Concept]]
    now: Mapping[UUID, Level]
    then: Mapping[UUID, Level] | None
    names: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class ClassNodes:
    """The two nodes that know mastery."""

    def __init__(self, logic_engine: LogicEngine, q_dna: QDna) -> None:
        self._logic_engine = logic_engine
        self._q_dna = q_dna

    async def ask(self, ids: Sequence[UUID], begins: datetime, deadline: float) -> Answers:
        """What the nodes know of each of the students, now and when the window began.

        Nothing is waited for beyond `deadline` (time.monotonic()).
        """
        names: dict[str, str] = {}
        batch, single = self._knowledge(names, deadline), self._one_knowledge(names, deadline)
        knowledge, now, then = await asyncio.gather(
            _each(ids, MOST_STATES, batch, single),
            _each(ids, MOST_LEVELS, self._levels(None, deadline), self._one_level(deadline)),
            _each(ids, MOST_LEVELS, self._levels(begins, deadline), None),
        )
        whole = all(len(found) == len(ids) for found in (knowledge, now, then) if found is not None)
        return Answers(knowledge or {}, now or {}, then, names, whole)

    def _knowledge(self, names: dict[str, str], deadline: float) -> Batch[Mapping[str, Concept]]:
        async def ask(ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Concept]] | None:
            states = await self._logic_engine.knowledge_states(ids, deadline=deadline)
            if states is None:
                return None
            names.update({code: _name(code, name) for code, name in states.names.items()})
            known = {each.student_id: _concepts_of(each) for each in states.students}
            for concepts in known.values():
                names.update({code: code for code in concepts if code not in names})
            return known

        return ask

    def _one_knowledge(
        self, names: dict[str, str], deadline: float
    ) -> Single[Mapping[str, Concept]]:
        async def ask(student_id: UUID) -> Mapping[str, Concept]:
            answer = await self._logic_engine.knowledge_state(student_id, deadline=deadline)
            return _concepts_in(answer.value, names)

        return ask

    def _levels(self, as_of: datetime | None, deadline: float) -> Batch[Level]:
        async def ask(ids: Sequence[UUID]) -> Mapping[UUID, Level] | None:
            levels = await self._q_dna.levels(ids, as_of=as_of, deadline=deadline)
            if levels is None:
                return None
            return {each.student_id: _level_of(each) for each in levels.students}

        return ask

    def _one_level(self, deadline: float) -> Single[Level]:
        async def ask(student_id: UUID) -> Level:
            answer = await self._q_dna.mastery_levels(student_id, deadline=deadline)
            return _level_in(answer.value)

        return ask


async def _each(
    ids: Sequence[UUID], most: int, batch: Batch[T], single: Single[T] | None
) -> dict[UUID, T] | None:
    """What is known of each student who could be had; None when only batches could tell.

    The first batch finds out whether the node knows batches.
    """
    chunks = [ids[at : at + most] for at in range(0, len(ids), most)]
    found: dict[UUID, T] = {}
    places = asyncio.Semaphore(AT_ONCE)
    if not chunks:
        return found
    if not await _take(chunks[0], batch, found, places):
        if single is None:
            return None
        await asyncio.gather(*(_take_one(each, single, found, places) for each in ids))
    else:
        await asyncio.gather(*(_take(each, batch, found, places) for each in chunks[1:]))
    return found


async def _take(
    ids: Sequence[UUID], batch: Batch[T], found: dict[UUID, T], places: asyncio.Semaphore
) -> bool:
    """Whether the node knows batches; what it says is put in `found`, if it is about these."""
    async with places:
        try:
            answer = await batch(ids)
        except NodeFailed:
            return True
    if answer is None:
        return False
    found.update({student: answer[student] for student in ids if student in answer})
    return True


async def _take_one(
    student_id: UUID, single: Single[T], found: dict[UUID, T], places: asyncio.Semaphore
) -> None:
    async with places:
        try:
            found[student_id] = await single(student_id)
        except NodeFailed:
            return


def _concepts_of(known: KnowledgeOf) -> dict[str, Concept]:
    unmet = known.unmet
    return {
        code: Concept(
            mastery,
            low,
            high,
            belief_of(mastery, (low, high)),
            answers,
            None if last is None else _moment(last),
            tuple(unmet.get(code, ())),
        )
        for code, mastery, low, high, answers, last in known.concepts
    }


def _moment(epoch: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _concepts_in(state: KnowledgeState, names: dict[str, str]) -> dict[str, Concept]:
    concepts: dict[str, Concept] = {}
    for at in state.concepts:
        key = at.code or (at.name if isinstance(at.name, str) else None)
        if key is not None:  # what has neither a code nor a name that is one cannot be told apart
            names[key] = _name(key, at.name)
            concepts[key] = _concept(at)
    return concepts


def _concept(at: ConceptState) -> Concept:
    belief = belief_of(at.mastery, at.interval)
    low, high = at.interval or (belief.quantile(-1.28), belief.quantile(1.28))
    unmet = tuple(need for need in at.unmet_prerequisites if isinstance(need, str))
    return Concept(at.mastery, low, high, belief, at.answers or 0, at.last_at, unmet)


def _name(code: str, name: Term) -> str:
    """What a concept is called in sentences: its code, where its name looks like anything else."""
    return name if isinstance(name, str) else code


def _level_of(level: LevelOf) -> Level:
    return _level(level.overall, level.interval, level.answers, level.seen)


def _level_in(levels: MasteryLevels) -> Level:
    seen = None if levels.coverage is None else levels.coverage.seen
    return _level(levels.overall, levels.interval, levels.answers or 0, seen)


def _level(
    overall: Share | None, interval: tuple[Share, Share] | None, answers: int, seen: int | None
) -> Level:
    if overall is None:
        return Level(answers, seen=seen)
    return Level(answers, overall, belief_of(overall, interval), seen)
