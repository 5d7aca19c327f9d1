"""Consents and stops of processing in PostgreSQL; the student is locked by whoever writes."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Transaction
from student_hub.students.models import ConsentRow, ProcessingRow
from student_hub.students.schemas import LEARNING, Consent, ConsentIn, Processing, State

CONSENT = tuple(ConsentRow.__table__.columns)


async def of_student(tx: Transaction, student_id: UUID) -> list[Consent]:
    query = select(*CONSENT).where(ConsentRow.student_id == student_id)
    newest = query.order_by(ConsentRow.given_at.desc(), ConsentRow.id)
    return [Consent.model_validate(row._asdict()) for row in await tx.session.execute(newest)]


async def one(tx: Transaction, student_id: UUID, consent_id: UUID) -> Consent | None:
    mine = (ConsentRow.student_id == student_id, ConsentRow.id == consent_id)
    row = (await tx.session.execute(select(*CONSENT).where(*mine))).one_or_none()
    return None if row is None else Consent.model_validate(row._asdict())


async def give(
    tx: Transaction, student_id: UUID, given: ConsentIn, by: str, now: datetime
) -> Consent:
    """The consent as recorded, or the valid one that says the same."""
    said = {
        ConsentRow.student_id: student_id,
        ConsentRow.purpose: given.purpose,
        ConsentRow.version: given.version,
        ConsentRow.given_by_relation: given.given_by_relation.value,
    }
    same = [column == value for column, value in said.items()]
    query = select(*CONSENT).where(*same, ConsentRow.withdrawn_at.is_(None))
    row = (await tx.session.execute(query)).one_or_none()
    if row is None:
        values = {
            **said,
            ConsentRow.id: uuid4(),
            ConsentRow.method: given.method.value,
            ConsentRow.given_at: given.given_at or now,
            ConsentRow.recorded_by: by,
        }
        made = insert(ConsentRow).values(values).returning(*CONSENT)
        row = (await tx.session.execute(made)).one()
    return Consent.model_validate(row._asdict())


async def withdraw(tx: Transaction, consent_id: UUID, by: str, now: datetime) -> Consent:
    statement = update(ConsentRow).where(ConsentRow.id == consent_id)
    ended = statement.values(withdrawn_at=now, withdrawn_by=by).returning(*CONSENT)
    return Consent.model_validate((await tx.session.execute(ended)).one()._asdict())


async def has_valid(tx: Transaction, student_id: UUID) -> bool:
    """Whether a consent for learning is left."""
    valid = (ConsentRow.purpose == LEARNING, ConsentRow.withdrawn_at.is_(None))
    query = select(ConsentRow.id).where(ConsentRow.student_id == student_id, *valid).limit(1)
    return (await tx.session.execute(query)).first() is not None


async def kept(tx: Transaction, student_id: UUID) -> Processing | None:
    """The last word about the student, if there ever was one."""
    columns = (ProcessingRow.state, ProcessingRow.since, ProcessingRow.by, ProcessingRow.reason)
    query = select(*columns).where(ProcessingRow.student_id == student_id)
    row = (await tx.session.execute(query)).one_or_none()
    return None if row is None else Processing.model_validate(row._asdict())


async def put(
    tx: Transaction, student_id: UUID, state: State, by: str, reason: str, now: datetime
) -> None:
    values = {"state": state.value, "since": now, "by": by, "reason": reason}
    statement = insert(ProcessingRow).values(student_id=student_id, **values)
    put = statement.on_conflict_do_update(index_elements=["student_id"], set_=values)
    await tx.session.execute(put)
