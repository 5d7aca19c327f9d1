"""The scheduler: which types of tasks there are, the hub's own tasks, and who ticks."""

from student_hub.access.audit.service import Audit
from student_hub.interventions.jobs import TASK_TYPES as OF_INTERVENTIONS
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.rounds import Round
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.schedules.figures import ScheduleFigures
from student_hub.schedules.schemas import ScheduleType, Standing, TaskDraft, TaskType
from student_hub.schedules.service import Schedules
from student_hub.students.service import Students

TYPES: tuple[TaskType, ...] = (*OF_INTERVENTIONS,)
"""What the rooms above offer: each names its types here."""
TICK_S = 1.0
LOOK_S = 10.0
STANDING_S = 300.0


def _daily(task_type: str, cron: str) -> Standing:
    draft = TaskDraft(task_type=task_type, schedule_type=ScheduleType.CRON, cron_expression=cron)
    return Standing(task_type, draft)


STANDING = (
    _daily("daily_report", "0 9 * * *"),
    _daily("weekly_analytics", "0 10 * * MON"),
    Standing("intervention_progress", _daily("progress_check", "0 * * * *").draft),
)
"""The contract's periodic work, in Asia/Seoul; what nobody offers is left out."""


def build_schedules(parts: Parts) -> None:
    """Puts the room's parts on the shelf; it needs students, the ledger and the audit log."""
    db, students, audit = parts.get(Database), parts.get(Students), parts.get(Audit)
    schedules = Schedules(db, students, parts.get(Ledger), audit, utc_now, TYPES)
    parts.put(schedules)
    parts.put(ScheduleFigures(parts.get(Metrics), schedules))


def schedule_rounds(parts: Parts) -> list[Round]:
    """What every worker process does for the scheduler."""
    schedules, figures = parts.get(Schedules), parts.get(ScheduleFigures)

    async def stand() -> None:
        await schedules.keep_standing(STANDING)

    return [
        Round("schedules", TICK_S, figures.tick),
        Round("task_runs", LOOK_S, schedules.look_after_runs),
        Round("standing_tasks", STANDING_S, stand),
    ]
