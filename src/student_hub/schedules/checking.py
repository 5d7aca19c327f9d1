"""Whether a draft can become a task: every field that is wrong is named, all at once."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import ValidationError

from student_hub.platform.errors import Fact, InvalidInput
from student_hub.platform.validation import path_of, problem_of
from student_hub.schedules.cron import BadCron, Cron
from student_hub.schedules.schemas import ScheduleType, TaskDraft, TaskType
from student_hub.schedules.times import Calendar, Every, Once, Schedule

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=366)
FARTHEST = timedelta(days=3_660)
MOST_CONFIG_BYTES = 4_096
YEARS = (1970, 9_000)
Fault = tuple[str, str]
FIELD_OF = {
    ScheduleType.CRON: "cron_expression",
    ScheduleType.INTERVAL: "interval_seconds",
    ScheduleType.ONE_TIME: "run_at",
}


def checked(draft: TaskDraft, types: Mapping[str, TaskType]) -> TaskDraft:
    """The draft with its config as the type's model writes it; or InvalidInput."""
    kind = types.get(draft.task_type)
    faults = [*_faults_of_type(draft, kind, types), *_faults_of_schedule(draft)]
    config, of_config = _config(draft, kind) if kind else ({}, [])
    if found := [*faults, *of_config]:
        errors: list[Fact] = [{"field": field, "problem": problem} for field, problem in found]
        problem = "; ".join(f"{field}: {problem}" for field, problem in found)
        raise InvalidInput(problem=problem, errors=errors)
    at = draft.run_at and draft.run_at.astimezone(UTC)
    return draft.model_copy(update={"config": config, "run_at": at})


def require_ahead(draft: TaskDraft, now: datetime) -> None:
    """Nothing when `run_at`, if there is one, lies ahead and within ten years."""
    if draft.run_at is None:
        return
    if draft.run_at <= now:
        raise InvalidInput.field("run_at", "lies in the past")
    if draft.run_at > now + FARTHEST:
        raise InvalidInput.field("run_at", "is over ten years ahead")


def schedule_of(draft: TaskDraft, start: datetime) -> Schedule:
    """When a checked draft fires; an interval counts from `start`."""
    match draft.schedule_type:
        case ScheduleType.CRON:
            return Calendar(Cron.parse(draft.cron_expression or ""), ZoneInfo(draft.timezone))
        case ScheduleType.INTERVAL:
            return Every(timedelta(seconds=draft.interval_seconds or 0), start)
        case ScheduleType.ONE_TIME:
            return Once(draft.run_at or start)


def _faults_of_type(
    draft: TaskDraft, kind: TaskType | None, types: Mapping[str, TaskType]
) -> Iterator[Fault]:
    if kind is None:
        known = ", ".join(sorted(types)) or "none yet"
        yield "task_type", f"there is no such type; known: {known}"
    elif kind.for_student and draft.student_id is None:
        yield "student_id", f"is needed for {kind.name}"
    elif kind.for_student is False and draft.student_id is not None:
        yield "student_id", f"{kind.name} is for all students"


def _faults_of_schedule(draft: TaskDraft) -> Iterator[Fault]:
    wanted = FIELD_OF[draft.schedule_type]
    for field in FIELD_OF.values():
        if field != wanted and getattr(draft, field) is not None:
            yield field, f"does not go with schedule_type {draft.schedule_type}"
    if getattr(draft, wanted) is None:
        yield wanted, f"is needed for schedule_type {draft.schedule_type}"
    yield from _faults_of_cron(draft)
    yield from _faults_of_interval(draft)
    if draft.run_at is not None and not YEARS[0] <= draft.run_at.year <= YEARS[1]:
        yield "run_at", f"is not between the years {YEARS[0]} and {YEARS[1]}"
    if not _is_zone(draft.timezone):
        yield "timezone", "is not the name of a time zone, such as Asia/Seoul"


def _faults_of_cron(draft: TaskDraft) -> Iterator[Fault]:
    if draft.cron_expression is None:
        return
    try:
        Cron.parse(draft.cron_expression)
    except BadCron as error:
        yield "cron_expression", str(error)


def _faults_of_interval(draft: TaskDraft) -> Iterator[Fault]:
    seconds, least, most = draft.interval_seconds, SHORTEST.seconds, LONGEST.total_seconds()
    if seconds is not None and not least <= seconds <= most:
        yield "interval_seconds", f"is not between {least} and {most:.0f}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _config(draft: TaskDraft, kind: TaskType) -> tuple[dict[str, Any], list[Fault]]:
    try:
        config = kind.config.model_validate_json(orjson.dumps(draft.config), extra="forbid")
    except orjson.JSONEncodeError:
        return {}, [("config", "is not plain JSON")]
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:20]
        return {}, [(path_of(("config", *one["loc"])), problem_of(one)) for one in found]
    written = config.model_dump(mode="json")
    if len(orjson.dumps(written)) > MOST_CONFIG_BYTES:
        return {}, [("config", f"is over {MOST_CONFIG_BYTES} bytes")]
    return written, []
