"""Reads and writes of `scheduled_tasks`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Table, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Transaction
from student_hub.schedules.models import TaskRow
from student_hub.schedules.schemas import Status, TaskFilter, Waiting

# As the index says it, and not as a parameter: a plan for any status could not use it.
ACTIVE = text("scheduled_tasks.status = 'active'")
TABLE = cast("Table", TaskRow.__table__)
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:call, 7))")


async def now(tx: Transaction) -> datetime:
    """The time by the database's clock, which is the same for every machine."""
    found: datetime = (await tx.session.execute(select(func.clock_timestamp()))).scalar_one()
    return found


async def add(tx: Transaction, row: dict[str, Any]) -> bool:
    """Stores a task; False for a standing one that is there already."""
    new = insert(TaskRow).values(row).on_conflict_do_nothing(index_elements=["standing"])
    return (await tx.session.execute(new.returning(TaskRow.id))).one_or_none() is not None


async def one(tx: Transaction, task_id: UUID, *, held: bool = False) -> TaskRow | None:
    """The task, kept from everybody else until the end of the transaction if it is `held`."""
    query = select(TaskRow).where(TaskRow.id == task_id)
    fresh = query.execution_options(populate_existing=True)
    return (await tx.session.scalars(fresh.with_for_update() if held else fresh)).one_or_none()


async def page(
    tx: Transaction, wanted: TaskFilter, before: UUID | None, limit: int
) -> Sequence[TaskRow]:
    """Tasks that pass every given filter, the newest first."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.student_id is not None:
        conditions.append(TaskRow.student_id == wanted.student_id)
    if wanted.task_type is not None:
        conditions.append(TaskRow.task_type == wanted.task_type)
    if wanted.status is not None:
        conditions.append(TaskRow.status == wanted.status.value)
    if before is not None:
        conditions.append(TaskRow.id < before)
    query = select(TaskRow).where(*conditions).order_by(TaskRow.id.desc()).limit(limit)
    return (await tx.session.scalars(query)).all()


async def of_student(tx: Transaction, student_id: UUID) -> Sequence[TaskRow]:
    """Every task of the student, the newest first."""
    query = select(TaskRow).where(TaskRow.student_id == student_id).order_by(TaskRow.id.desc())
    return (await tx.session.scalars(query)).all()


async def alone_with_call(tx: Transaction, call: str) -> None:
    """Has the same call, made at the same time, wait until this transaction has ended."""
    await tx.session.execute(LOCK, {"call": call})


async def by_key(tx: Transaction, created_by: str, key: str) -> TaskRow | None:
    """What this caller's call under that key made."""
    query = select(TaskRow).where(TaskRow.created_by == created_by, TaskRow.request_key == key)
    return (await tx.session.scalars(query)).one_or_none()


async def by_call(
    tx: Transaction, created_by: str, digest: bytes, since: datetime
) -> TaskRow | None:
    """The newest that a call of this caller with those arguments made since then."""
    same = (TaskRow.created_by == created_by, TaskRow.request_hash == digest)
    query = select(TaskRow).where(*same, TaskRow.created_at > since)
    return (await tx.session.scalars(query.order_by(TaskRow.created_at.desc()).limit(1))).first()


async def change(tx: Transaction, task_ids: Collection[UUID], **values: object) -> list[UUID]:
    """Changes those of the tasks that are not over; which they were."""
    over = (Status.COMPLETED.value, Status.CANCELLED.value)
    mine = (TaskRow.id.in_(list(task_ids)), TaskRow.status.not_in(over))
    changed = update(TaskRow).where(*mine).values(**values).returning(TaskRow.id)
    return list(await tx.session.scalars(changed))


async def claim(
    tx: Transaction, at: datetime, types: Collection[str], limit: int
) -> Sequence[TaskRow]:
    """Active tasks of these types that are due, the longest due first; nobody else gets them."""
    mine = (ACTIVE, TaskRow.next_run_at <= at, TaskRow.task_type.in_(sorted(types)))
    query = select(TaskRow).where(*mine).order_by(TaskRow.next_run_at, TaskRow.id).limit(limit)
    return (await tx.session.scalars(query.with_for_update(skip_locked=True))).all()


async def advance(tx: Transaction, rows: Iterable[dict[str, Any]]) -> None:
    """Writes of each task when it last fired, when it will, and its status."""
    names = ("next_run_at", "last_run_at", "status", "ended_at")
    values: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in names}
    written = update(TABLE).where(TaskRow.id == bindparam("task")).values(**values)
    connection = await tx.session.connection()
    await connection.execute(written, list(rows))


async def waiting(tx: Transaction) -> Waiting:
    """What is due and has not been fired."""
    late = func.coalesce(func.extract("epoch", func.now() - func.min(TaskRow.next_run_at)), 0)
    query = select(func.count(), late).where(ACTIVE, TaskRow.next_run_at <= func.now())
    due_now, lag = (await tx.session.execute(query)).one()
    return Waiting(due_now, float(lag))
