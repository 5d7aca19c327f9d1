"""The parts of the room `analytics`, and what it is told of interventions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from student_hub.access.audit.service import Audit
from student_hub.analytics.asking import ClassNodes
from student_hub.analytics.gathering import ClassGatherer
from student_hub.analytics.plans import ClassPlans
from student_hub.analytics.schemas import Finished, Running
from student_hub.analytics.service import Classes
from student_hub.analytics.shelf import Shelf
from student_hub.interventions.changing import name_of
from student_hub.interventions.lifecycle import Status
from student_hub.interventions.measuring import Measuring, shown_of_few
from student_hub.interventions.schemas import EffectOfMany, Intervention
from student_hub.interventions.service import Interventions
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students


def build_analytics(parts: Parts) -> ClassGatherer:
    """Shelves the service; what is given back has to be closed."""
    gateway, db = parts.get(Gateway), parts.get(Database)
    nodes, shelf = ClassNodes(LogicEngine(gateway), QDna(gateway)), Shelf(parts.get(Cache))
    plans = KnownPlans(db, parts.get(Interventions), parts.get(Measuring), utc_now)
    gatherer = ClassGatherer(db, parts.get(Students), nodes, plans, shelf)
    parts.put(Classes(db, gatherer, shelf, parts.get(Audit)))
    return gatherer


class KnownPlans:
    """The interventions of a class as its analytics show them."""

    def __init__(
        self, db: Database, interventions: Interventions, measuring: Measuring, clock: Clock
    ) -> None:
        self._db = db
        self._interventions = interventions
        self._measuring = measuring
        self._clock = clock

    async def of_students(self, ids: Sequence[UUID]) -> ClassPlans:
        """Those of these students; their effect without figures where it is of very few."""
        async with self._db.transaction(SYSTEM) as tx:
            found = await self._interventions.running(tx, ids)
            effect = await self._measuring.effect_among(tx, ids)
        under_way = [plan for plan in found if plan.status is not Status.PROPOSED]
        return ClassPlans(
            running=[_running(plan, self._clock()) for plan in under_way],
            finished=_finished(shown_of_few(effect)) if effect.finished else None,
            helped=frozenset(plan.student_id for plan in under_way),
        )


def _running(plan: Intervention, now: datetime) -> Running:
    left = 0 if plan.ends_at is None else (plan.ends_at - now).days
    return Running(
        intervention_id=name_of(plan.intervention_id),
        done=plan.progress.completed,
        total=plan.progress.total,
        days_left=max(0, left),
    )


def _finished(effect: EffectOfMany) -> Finished:
    return Finished(
        n=effect.n,
        change=effect.change,
        comparison_change=effect.comparison_change,
        effect_g=effect.effect_g,
        ci95=effect.effect_ci95,
        verdict=effect.verdict.value,
    )
