"""Rows as they are shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from student_hub.interventions.models import InterventionRow, NoteRow
from student_hub.interventions.schemas import (
    AreaToMend,
    Check,
    Decision,
    Intervention,
    InterventionHistory,
    Progress,
    ScheduledCheck,
    Step,
)

SAME = (
    "student_id",
    "type",
    "target_level",
    "duration_days",
    "status",
    "created_at",
    "created_by",
    "started_at",
    "ends_at",
    "version",
)


def shown(row: InterventionRow) -> Intervention:
    """The intervention, its steps with their marks."""
    return Intervention(**members(row))


def with_history(row: InterventionRow, notes: Sequence[NoteRow]) -> InterventionHistory:
    """The same with its decisions and checks."""
    return InterventionHistory(
        **members(row),
        decisions=[Decision(**note.content) for note in notes if note.kind == "decision"],
        checks=[Check.model_validate(note.content) for note in notes if note.kind == "check"],
    )


def members(row: InterventionRow) -> dict[str, Any]:
    """What an `Intervention` is made of."""
    return {
        **{name: getattr(row, name) for name in SAME},
        "intervention_id": row.id,
        "ended_at": row.completed_at,
        "weak_areas": [AreaToMend.model_validate(area) for area in row.weak_areas],
        "learning_path": path_of(row),
        "progress": Progress.model_validate(row.progress),
        "scheduled_tasks": [ScheduledCheck.model_validate(task) for task in row.tasks],
        "last_check": None if row.last_check is None else Check.model_validate(row.last_check),
    }


def path_of(row: InterventionRow) -> list[Step]:
    """The steps with their marks."""
    return [_marked(Step.model_validate(step), row.marks) for step in row.learning_path]


def _marked(step: Step, marks: dict[str, Any]) -> Step:
    mark = marks.get(str(step.step))
    if mark is None:
        return step
    at = datetime.fromisoformat(mark["at"])
    return step.model_copy(update={"done_at": at, "done_by": mark["by"]})
