"""From a wish to a plan: what is weak (node 2), and a path from there (node 3)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from student_hub.interventions.errors import NothingKnown, TargetReached
from student_hub.interventions.schemas import AreaToMend, Step
from student_hub.interventions.words import word
from student_hub.nodes.gen import Gen
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.schemas import ConceptState, WeakArea
from student_hub.platform.errors import InvalidInput

LONGEST_S = 12.0
"""All nodes together; a creation is to take 3 s at most in 95 of 100 cases."""
MOST_AREAS = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom the plan is for, and what it is to reach."""

    student_id: UUID
    target_level: float
    duration_days: int
    focus: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that is not stored yet."""

    areas: list[AreaToMend]
    steps: list[Step]


class Planner:
    """Asks the nodes; nothing is stored here."""

    def __init__(self, logic_engine: LogicEngine, q_dna: QDna, gen: Gen) -> None:
        self._logic_engine = logic_engine
        self._q_dna = q_dna
        self._gen = gen

    async def plan(self, wish: Wish) -> Draft:
        """The plan. NodeFailed when node 2 or 3 has no usable answer.

        TargetReached or NothingKnown when there is nothing to plan; InvalidInput names the focus
        areas that the student has never met.
        """
        deadline = time.monotonic() + LONGEST_S
        areas = await self._areas(wish, deadline)
        told = [area.model_dump(mode="json", exclude_none=True) for area in areas]
        path = await self._gen.learning_path(
            wish.student_id,
            [_plain(area) for area in told],
            wish.target_level,
            wish.duration_days,
            deadline=deadline,
        )
        return Draft(areas, [Step.of(step) for step in path.value.learning_path])

    async def _areas(self, wish: Wish, deadline: float) -> list[AreaToMend]:
        answered = await self._q_dna.weak_areas(
            wish.student_id, wish.target_level, deadline=deadline
        )
        weak = [_to_mend(area, wish.target_level) for area in answered.value.weak_areas]
        if wish.focus is not None:
            weak = await self._focused(wish, weak, deadline)
        elif not weak:
            await self._require_known(wish, deadline)
        if not weak:
            raise TargetReached(target_level=wish.target_level)
        return weak[:MOST_AREAS]

    async def _require_known(self, wish: Wish, deadline: float) -> None:
        mastery = await self._q_dna.mastery_levels(wish.student_id, deadline=deadline)
        if mastery.value.overall is None:
            raise NothingKnown

    async def _focused(
        self, wish: Wish, weak: Sequence[AreaToMend], deadline: float
    ) -> list[AreaToMend]:
        """The areas that were named: weak ones as node 2 has them, others as node 1 knows them."""
        focus = list(dict.fromkeys(wish.focus or ()))
        found = {name: area for name in focus for area in weak if _is_named(area, name)}
        rest = [name for name in focus if name not in found]
        if rest:
            state = await self._logic_engine.knowledge_state(wish.student_id, deadline=deadline)
            found |= _known(rest, state.value.concepts, wish.target_level)
        areas = [found[name] for name in focus]
        return [area for area in areas if area.current_mastery < area.target_mastery]


def _known(
    names: Sequence[str], concepts: Sequence[ConceptState], target: float
) -> dict[str, AreaToMend]:
    found = {n: c for n in names for c in concepts if _is_named(c, n)}
    unknown = [name for name in names if name not in found]
    if unknown:
        problem = "has concepts that the student has never met: " + ", ".join(unknown)
        raise InvalidInput.field("focus_areas", problem)
    return {
        name: AreaToMend(
            concept=state.name,
            code=state.code,
            current_mastery=state.mastery,
            target_mastery=target,
            interval=state.interval,
            answers=state.answers,
        )
        for name, state in found.items()
    }


def _to_mend(area: WeakArea, target: float) -> AreaToMend:
    return AreaToMend(
        concept=area.concept,
        code=area.code,
        current_mastery=area.current_mastery,
        target_mastery=area.target_mastery if area.target_mastery is not None else target,
        interval=area.interval,
        answers=area.answers,
    )


def _is_named(area: AreaToMend | ConceptState, name: str) -> bool:
    named = area.concept if isinstance(area, AreaToMend) else area.name
    wanted = word(name)
    return wanted in {word(known) for known in (named, area.code) if isinstance(known, str)}


def _plain(area: dict[str, Any]) -> dict[str, Any]:
    """As a node is told of it: a name that was set apart as untrusted stays out."""
    return {name: value for name, value in area.items() if not isinstance(value, dict)}
