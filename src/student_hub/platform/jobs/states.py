"""What state a job is in, as its row tells it."""

from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_

from student_hub.platform.jobs.models import JobRow


class JobState(StrEnum):
    """`delayed` waits for its time, `due` for a worker; `dead` failed for good, until retried."""

    DELAYED = "delayed"
    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


def is_due() -> ColumnElement[bool]:
    """True of a row that a worker may take."""
    return and_(JobRow.finished_at.is_(None), JobRow.not_before <= func.now(), _is_free())


def is_running() -> ColumnElement[bool]:
    """True of a row that is in a worker's hands."""
    return and_(JobRow.finished_at.is_(None), JobRow.leased_until >= func.now())


def is_in(state: JobState) -> ColumnElement[bool]:
    """True of a row in that state; every row is in one."""
    match state:
        case JobState.DELAYED:
            open_later = and_(JobRow.finished_at.is_(None), JobRow.not_before > func.now())
            return and_(open_later, _is_free())
        case JobState.DUE:
            return is_due()
        case JobState.RUNNING:
            return is_running()
        case JobState.DONE:
            return and_(JobRow.finished_at.is_not(None), JobRow.failed.is_(False))
        case JobState.DEAD:
            # Said as the index says it.
            return and_(JobRow.failed, JobRow.finished_at.is_not(None))


def _is_free() -> ColumnElement[bool]:
    return or_(JobRow.leased_until.is_(None), JobRow.leased_until < func.now())
