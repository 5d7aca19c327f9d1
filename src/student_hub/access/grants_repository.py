"""Grants in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import IntegrityError

from student_hub.access.models import GrantRow
from student_hub.access.policy import Whereabouts
from student_hub.access.schemas import GrantFilter
from student_hub.platform.db.database import Transaction, sqlstate_of

NO_SUCH_ROW = "23503"
PLACE = ("school_id", "grade", "class_name", "student_id")


async def add(tx: Transaction, grant: GrantRow) -> bool:
    """Stores a new grant; False for one to a student who does not exist."""
    try:
        async with tx.session.begin_nested():
            tx.session.add(grant)
            await tx.session.flush()
    except IntegrityError as error:
        if sqlstate_of(error) != NO_SUCH_ROW:
            raise
        return False
    return True


async def twin_of(tx: Transaction, grant: GrantRow, now: datetime) -> GrantRow | None:
    """A grant that counts already and says the same; others of the subject wait meanwhile."""
    await tx.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(grant.subject))))
    same = [
        getattr(GrantRow, name).is_not_distinct_from(getattr(grant, name))
        for name in ("subject", "relation", *PLACE)
    ]
    return (await tx.session.scalars(select(GrantRow).where(_counts(now), *same).limit(1))).first()


async def page(
    tx: Transaction, wanted: GrantFilter, now: datetime, after: UUID | None, limit: int
) -> Sequence[GrantRow]:
    """Grants that pass every given filter, in the order of their ids."""
    query = select(GrantRow).order_by(GrantRow.id).limit(limit)
    for name in ("subject", *PLACE):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(getattr(GrantRow, name) == value)
    if not wanted.ended:
        query = query.where(_counts(now))
    if after is not None:
        query = query.where(GrantRow.id > after)
    return (await tx.session.scalars(query)).all()


async def of_subject(tx: Transaction, subject: str, now: datetime) -> Sequence[GrantRow]:
    """The grants of the subject that count now."""
    query = select(GrantRow).where(GrantRow.subject == subject, _counts(now))
    return (await tx.session.scalars(query)).all()


async def reaching(tx: Transaction, student: Whereabouts, now: datetime) -> Sequence[GrantRow]:
    """The grants that count now and reach that student, the oldest first."""
    here = GrantRow.school_id == student.school_id
    grade = or_(GrantRow.grade.is_(None), GrantRow.grade == student.grade)
    room = or_(GrantRow.class_name.is_(None), GrantRow.class_name == student.class_name)
    reaches = or_(GrantRow.student_id == student.id, and_(here, grade, room))
    query = select(GrantRow).where(_counts(now), reaches)
    return (await tx.session.scalars(query.order_by(GrantRow.created_at, GrantRow.id))).all()


async def holders(tx: Transaction, subjects: Sequence[str], now: datetime) -> set[str]:
    """Those of the subjects who have a grant that counts now."""
    query = select(GrantRow.subject).where(GrantRow.subject.in_(subjects), _counts(now))
    return set(await tx.session.scalars(query.distinct()))


async def revoke(tx: Transaction, grant_id: UUID, now: datetime) -> GrantRow | None:
    """The grant, revoked now unless it already was; None when there is none."""
    grant = await tx.session.get(GrantRow, grant_id, with_for_update=True)
    if grant is not None and grant.revoked_at is None:
        grant.revoked_at = now
        await tx.session.flush()
    return grant


def _counts(now: datetime) -> ColumnElement[bool]:
    lasting = or_(GrantRow.expires_at.is_(None), GrantRow.expires_at > now)
    return and_(GrantRow.revoked_at.is_(None), lasting)
