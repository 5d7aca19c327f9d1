"""What follows from a change of an intervention, inside of the transaction that makes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from student_hub.history.service import History
from student_hub.interventions import repository
from student_hub.interventions.lifecycle import Phase, Status
from student_hub.interventions.messages import (
    AskForDecision,
    MeasureAbilities,
    SettleProgressCheck,
    TellOfIntervention,
)
from student_hub.interventions.models import InterventionRow
from student_hub.interventions.moves import Deed, after
from student_hub.interventions.schemas import ScheduledCheck
from student_hub.notifications.schemas import Notice, Recipient, Template
from student_hub.notifications.service import Notifications
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller
from student_hub.schedules.schemas import ScheduleType, TaskDraft
from student_hub.schedules.service import Schedules
from student_hub.students.service import Students

PROGRESS_CHECK = "progress_check"
FIRST_CHECK = timedelta(days=7)
MOST_TASKS = 20
"""Of its checks so many are shown, the latest."""
EVERYBODY = frozenset(Recipient)
TEACHER = frozenset({Recipient.TEACHER})


def name_of(intervention_id: UUID) -> str:
    """The intervention as it is shown: INT_ and 32 digits."""
    return f"INT_{intervention_id.hex}"


class Changes:
    """Keeps rows, tasks, jobs, events and generations of the student together."""

    def __init__(
        self,
        students: Students,
        history: History,
        schedules: Schedules,
        notifications: Notifications,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._students = students
        self._history = history
        self._schedules = schedules
        self._notifications = notifications
        self._ledger = ledger
        self._clock = clock

    async def begun(self, tx: Transaction, row: Mapping[str, Any]) -> dict[str, Any]:
        """What makes a stored plan an active one: its values, with its check and first job put."""
        now = self._clock()
        ends_at = now + timedelta(days=row["duration_days"])
        check = await self.check_at(tx, row, min(now + FIRST_CHECK, ends_at))
        await self._ledger.put(
            tx,
            TellOfIntervention(intervention_id=row["id"]),
            unique_key=f"intervention-begun:{row['id']}",
        )
        active = {"status": Status.ACTIVE.value, "started_at": now, "ends_at": ends_at}
        return {**active, "tasks": [check.model_dump(mode="json")]}

    async def proposed(self, tx: Transaction, intervention_id: UUID) -> None:
        """Has the teacher asked what is to become of the plan."""
        job = AskForDecision(intervention_id=intervention_id)
        await self._ledger.put(tx, job, unique_key=f"intervention-proposed:{intervention_id}")

    async def settle_check(self, tx: Transaction, intervention_id: UUID) -> None:
        """Has it seen to that a check lies ahead."""
        await self._ledger.put(tx, SettleProgressCheck(intervention_id=intervention_id))

    async def check_ahead(self, tx: Transaction, row: InterventionRow) -> None:
        """A progress check within seven days for an active intervention that has none ahead."""
        now = self._clock()
        if any(ScheduledCheck.model_validate(task).scheduled_at > now for task in row.tasks):
            return
        ends_at = row.ends_at or now
        at = now + FIRST_CHECK if ends_at <= now else min(now + FIRST_CHECK, ends_at)
        basis = {"id": row.id, "student_id": row.student_id, "created_by": row.created_by}
        check = await self.check_at(tx, basis, at)
        tasks = [*row.tasks, check.model_dump(mode="json")]
        await self.store(tx, row, {"tasks": tasks[-MOST_TASKS:]})

    async def check_at(
        self, tx: Transaction, row: Mapping[str, Any], at: datetime
    ) -> ScheduledCheck:
        """A progress check at that time, as a scheduled task."""
        draft = TaskDraft(
            task_type=PROGRESS_CHECK,
            schedule_type=ScheduleType.ONE_TIME,
            run_at=at,
            student_id=row["student_id"],
            config={"intervention_id": str(row["id"])},
        )
        task = await self._schedules.add(tx, draft, row["created_by"])
        return ScheduledCheck(task_id=task.task_id, type=PROGRESS_CHECK, scheduled_at=at)

    async def lead(
        self, tx: Transaction, row: InterventionRow, deed: Deed, **more: Any
    ) -> InterventionRow:
        """The held row after the deed; WrongStatus when it is not open to it."""
        status = after(Status(row.status), deed)
        values: dict[str, Any] = {"status": status.value, **more}
        if status in {Status.COMPLETED, Status.CANCELLED}:
            values["completed_at"] = self._clock()
            await self._ended(tx, row, status)
        return await self.store(tx, row, values)

    async def store(
        self, tx: Transaction, row: InterventionRow, values: dict[str, Any]
    ) -> InterventionRow:
        """The row with these values; everything cached of the student is stale."""
        await repository.change(tx, row.id, values)
        await self._students.touch(tx, [row.student_id])
        changed = await repository.one(tx, row.id)
        return row if changed is None else changed

    async def record(
        self, tx: Transaction, caller: Caller, row: Mapping[str, Any], action: str
    ) -> None:
        """An event of the student's history: the hub itself is its source."""
        name = name_of(row["id"])
        event = {
            "student_id": str(row["student_id"]),
            "event_type": "intervention",
            "source_node": 0,
            "source_id": f"{name}:{action}",
            "occurred_at": self._clock().isoformat(),
            "content": {"action": f"intervention_{action}", "intervention_id": name},
        }
        await self._history.store(tx, caller, [event])

    async def tell(
        self,
        tx: Transaction,
        row: InterventionRow,
        template: Template,
        *,
        event: str,
        to: frozenset[Recipient] = EVERYBODY,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Tells each of them once for that event."""
        notice = Notice(
            event=f"{event}:{name_of(row.id)}",
            template=template,
            student_id=row.student_id,
            recipients=to,
            facts={**_facts(row), **(facts or {})},
        )
        await self._notifications.notify(tx, notice)

    async def _ended(self, tx: Transaction, row: InterventionRow, status: Status) -> None:
        await self._schedules.end(tx, _tasks(row))
        await self.record(tx, SYSTEM, {"id": row.id, "student_id": row.student_id}, status.value)
        if status is Status.COMPLETED:
            await self.tell(
                tx, row, Template.INTERVENTION_COMPLETED, event="intervention-completed"
            )
            job = MeasureAbilities(intervention_id=row.id, phase=Phase.END)
            await self._ledger.put(tx, job, unique_key=f"abilities-end:{row.id}")


def _tasks(row: InterventionRow) -> Sequence[UUID]:
    return [ScheduledCheck.model_validate(task).task_id for task in row.tasks]


def _facts(row: InterventionRow) -> dict[str, Any]:
    names = [area["concept"] for area in row.weak_areas if isinstance(area["concept"], str)]
    due_on = None if row.ends_at is None else row.ends_at.date()
    return {
        "concepts": names,
        "duration_days": row.duration_days,
        "steps": row.progress["total"],
        "completed": row.progress["completed"],
        "total": row.progress["total"],
        "due_on": due_on,
    }
