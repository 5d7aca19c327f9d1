"""Whether a student's data may be processed, as PostgreSQL computes it from what is stored."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, literal, select

from student_hub.platform.db.database import Transaction
from student_hub.students.models import ConsentRow, ProcessingRow, StudentRow
from student_hub.students.schemas import LEARNING, Relation, State


def permission(up_to_grade: int) -> ColumnElement[str]:
    """The student's state, as the column `permission` of a query on students.

    Students up to that grade need a consent for learning that somebody else has given for them;
    with 0 nobody does.
    """
    stopped = exists().where(
        ProcessingRow.student_id == StudentRow.id, ProcessingRow.state == State.STOPPED.value
    )
    needed = and_(StudentRow.grade <= up_to_grade, ~_guardians_consent())
    return case(
        (stopped, State.STOPPED.value),
        (needed, State.AWAITING_CONSENT.value),
        else_=literal(State.OPEN.value),
    ).label("permission")


async def not_open(
    tx: Transaction, state: ColumnElement[str], ids: Iterable[UUID]
) -> dict[UUID, State]:
    """Those of the students whose data must not be processed, and why."""
    rows = await tx.session.execute(
        select(StudentRow.id, state).where(StudentRow.id.in_(list(ids)), state != State.OPEN.value)
    )
    return {row.id: State(row.permission) for row in rows}


def _guardians_consent() -> ColumnElement[bool]:
    return exists().where(
        ConsentRow.student_id == StudentRow.id,
        ConsentRow.purpose == LEARNING,
        ConsentRow.given_by_relation != Relation.SELF.value,
        ConsentRow.withdrawn_at.is_(None),
    )
