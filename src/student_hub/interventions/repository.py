"""Reads and writes of the room's tables."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import insert

from student_hub.interventions.lifecycle import Phase, Status
from student_hub.interventions.models import AbilityRow, CallRow, InterventionRow, NoteRow
from student_hub.interventions.schemas import InterventionFilter
from student_hub.platform.db.database import Transaction
from student_hub.platform.db.hot import HotQuery

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:call, 13))")
RUNNING = text("interventions.status = 'active'")
"""As the index says it, and not as a parameter."""
SHOWN_OF_ACTIVE = ("id", "type", "status", "target_level", "progress", "ends_at", "tasks")


def _named(names: Iterable[str]) -> Iterator[ColumnElement[Any]]:
    for name in names:
        yield literal_column(f"'{name}'")
        yield getattr(InterventionRow, name)


ACTIVE_OF_STUDENTS = HotQuery(
    select(
        InterventionRow.student_id.label("id"),
        func.json_agg(func.json_build_object(*_named(SHOWN_OF_ACTIVE)))
        .cast(String)
        .label("active"),
    )
    .where(
        InterventionRow.student_id == func.any(bindparam("ids", type_=ARRAY(SqlUuid))),
        text("interventions.status IN ('active', 'paused')"),
    )
    .group_by(InterventionRow.student_id)
)


async def alone_with_call(tx: Transaction, subject: str, call: str) -> None:
    """Has the same call, made at the same time, wait until this transaction has ended."""
    await tx.session.execute(LOCK, {"call": f"{subject} {call}"})


async def call_of(tx: Transaction, subject: str, call: str) -> CallRow | None:
    """What this caller's call of that name made."""
    return await tx.session.get(CallRow, (subject, call), populate_existing=True)


async def note_keyed_call(tx: Transaction, row: dict[str, Any]) -> bool:
    """Writes down what a call under a key made; False when the key is taken, unseen, by another."""
    new = insert(CallRow).values(row).on_conflict_do_nothing().returning(CallRow.call)
    return (await tx.session.execute(new)).one_or_none() is not None


async def note_call(tx: Transaction, row: dict[str, Any]) -> None:
    """Writes down what a call made; over one that was so long ago that it is another call."""
    new = insert(CallRow).values(row)
    again = {name: new.excluded[name] for name in row if name not in {"subject", "call"}}
    key = ["subject", "call"]
    await tx.session.execute(new.on_conflict_do_update(index_elements=key, set_=again))


async def add(tx: Transaction, row: dict[str, Any]) -> None:
    await tx.session.execute(insert(InterventionRow).values(row))


async def one(
    tx: Transaction, intervention_id: UUID, *, held: bool = False
) -> InterventionRow | None:
    """The intervention, kept from everybody else until the end of the transaction if `held`."""
    query = select(InterventionRow).where(InterventionRow.id == intervention_id)
    fresh = query.execution_options(populate_existing=True)
    return (await tx.session.scalars(fresh.with_for_update() if held else fresh)).one_or_none()


async def change(tx: Transaction, intervention_id: UUID, values: dict[str, Any]) -> None:
    """Changes these columns, and counts the version up."""
    statement = update(InterventionRow).where(InterventionRow.id == intervention_id)
    await tx.session.execute(statement.values(**values, version=InterventionRow.version + 1))


async def page(
    tx: Transaction, wanted: InterventionFilter, before: UUID | None, limit: int
) -> Sequence[InterventionRow]:
    """Interventions that pass every given filter, the newest first."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.student_id is not None:
        conditions.append(InterventionRow.student_id == wanted.student_id)
    if wanted.status is not None:
        conditions.append(InterventionRow.status == wanted.status.value)
    if wanted.type is not None:
        conditions.append(InterventionRow.type == wanted.type.value)
    if before is not None:
        conditions.append(InterventionRow.id < before)
    query = select(InterventionRow).where(*conditions).order_by(InterventionRow.id.desc())
    return (await tx.session.scalars(query.limit(limit))).all()


async def of_student(tx: Transaction, student_id: UUID) -> Sequence[InterventionRow]:
    """Every intervention of the student, the newest first."""
    query = select(InterventionRow).where(InterventionRow.student_id == student_id)
    return (await tx.session.scalars(query.order_by(InterventionRow.id.desc()))).all()


async def of_students(
    tx: Transaction, ids: Collection[UUID], *states: Status
) -> Sequence[InterventionRow]:
    """Those students' interventions in one of these states, the newest first."""
    query = select(InterventionRow).where(
        InterventionRow.student_id.in_(ids),
        InterventionRow.status.in_([state.value for state in states]),
    )
    return (await tx.session.scalars(query.order_by(InterventionRow.id.desc()))).all()


async def running_among(tx: Transaction, ids: Collection[UUID]) -> list[UUID]:
    """Those of the students who have an active intervention."""
    query = select(InterventionRow.student_id).where(RUNNING, InterventionRow.student_id.in_(ids))
    return list((await tx.session.scalars(query.distinct())).all())


async def ever_planned(tx: Transaction, ids: Collection[UUID]) -> set[UUID]:
    """Those of the students for whom an intervention has ever begun."""
    begun = InterventionRow.started_at.is_not(None)
    query = select(InterventionRow.student_id).where(begun, InterventionRow.student_id.in_(ids))
    return set((await tx.session.scalars(query.distinct())).all())


async def running_of(tx: Transaction, student_id: UUID) -> list[UUID]:
    """The student's active interventions, the oldest first."""
    query = select(InterventionRow.id).where(RUNNING, InterventionRow.student_id == student_id)
    return list((await tx.session.scalars(query.order_by(InterventionRow.id))).all())


async def overdue(tx: Transaction, now: datetime, told_before: datetime) -> list[UUID]:
    """Active ones whose time is over, and of whom nobody was told since `told_before`."""
    told = InterventionRow.overdue_told_at
    query = select(InterventionRow.id).where(
        RUNNING, InterventionRow.ends_at <= now, or_(told.is_(None), told < told_before)
    )
    return list((await tx.session.scalars(query.order_by(InterventionRow.id))).all())


async def count_by_status(tx: Transaction) -> dict[str, int]:
    """How many interventions there are in each state that is not over."""
    rows = await tx.session.execute(
        select(InterventionRow.status, func.count().label("number"))
        .where(InterventionRow.status.in_(["proposed", "active", "paused"]))
        .group_by(InterventionRow.status)
    )
    return {row.status: row.number for row in rows}


async def note(tx: Transaction, row: dict[str, Any]) -> None:
    """Keeps a decision or a check; a known id is the same one again."""
    await tx.session.execute(insert(NoteRow).values(row).on_conflict_do_nothing())


async def notes_of(tx: Transaction, intervention_ids: Collection[UUID]) -> Sequence[NoteRow]:
    """Decisions and checks, the oldest first."""
    query = select(NoteRow).where(NoteRow.intervention_id.in_(intervention_ids))
    return (await tx.session.scalars(query.order_by(NoteRow.at, NoteRow.id))).all()


async def keep_abilities(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Writes abilities down, those that are not there yet."""
    if rows:
        await tx.session.execute(insert(AbilityRow).values(list(rows)).on_conflict_do_nothing())


async def abilities(
    tx: Transaction, intervention_ids: Collection[UUID], phase: Phase | None = None
) -> Sequence[AbilityRow]:
    """What was written down for these interventions."""
    query = select(AbilityRow).where(AbilityRow.intervention_id.in_(intervention_ids))
    if phase is not None:
        query = query.where(AbilityRow.phase == phase.value)
    return (await tx.session.scalars(query)).all()


async def abilities_of(tx: Transaction, student_id: UUID) -> Sequence[AbilityRow]:
    """What was written down of this student, the oldest first."""
    query = select(AbilityRow).where(AbilityRow.student_id == student_id)
    return (await tx.session.scalars(query.order_by(AbilityRow.at))).all()
