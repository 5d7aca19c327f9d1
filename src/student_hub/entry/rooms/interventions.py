"""Interventions: their parts, the jobs of their workflow, and who follows histories."""

from collections.abc import Sequence
from uuid import UUID

from student_hub.access.audit.service import Audit
from student_hub.history.service import History
from student_hub.interventions.changing import Changes
from student_hub.interventions.creating import Creating
from student_hub.interventions.figures import InterventionFigures
from student_hub.interventions.following import Following
from student_hub.interventions.jobs import Crew, intervention_handlers
from student_hub.interventions.measuring import Measuring
from student_hub.interventions.planning import Planner
from student_hub.interventions.schemas import Approval
from student_hub.interventions.service import Interventions
from student_hub.interventions.steering import Steering
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.gen import Gen
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.notifications.service import Notifications
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Handlers
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings
from student_hub.schedules.service import Schedules
from student_hub.students.service import Students


def build_interventions(parts: Parts, settings: Settings) -> None:
    """Puts the room's parts on the shelf; notifications and schedules are there already."""
    db, students, audit = parts.get(Database), parts.get(Students), parts.get(Audit)
    history, ledger, gateway = parts.get(History), parts.get(Ledger), parts.get(Gateway)
    told, planned = parts.get(Notifications), parts.get(Schedules)
    logic_engine, q_dna = LogicEngine(gateway), QDna(gateway)
    changes = parts.put(Changes(students, history, planned, told, ledger, utc_now))
    planner = Planner(logic_engine, q_dna, Gen(gateway))
    approval = Approval(settings.intervention_approval)
    creating = Creating(db, students, audit, utc_now, planner, changes, approval)
    plans = parts.put(Interventions(db, students, audit, creating))
    steering = parts.put(Steering(db, students, audit, utc_now, changes))
    parts.put(Following(db, students, history, steering, changes, ledger, logic_engine, utc_now))
    parts.put(InterventionFigures(parts.get(Metrics), plans))
    parts.put(Measuring(db, students, q_dna, utc_now))


def handlers_of(parts: Parts) -> Handlers:
    """The handlers of the room's jobs."""
    return intervention_handlers(
        Crew(
            parts.get(Steering),
            parts.get(Changes),
            parts.get(Following),
            parts.get(Measuring),
            parts.get(Students),
            parts.get(Schedules),
            parts.get(Ledger),
        )
    )


class Followers:
    """Who is told, in the same transaction, that something changed in students' histories."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, tx: Transaction, student_ids: Sequence[UUID]) -> None:
        await self._parts.get(Following).follow(tx, student_ids)
