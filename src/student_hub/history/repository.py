"""The history in PostgreSQL. Batches go in and out as arrays: one statement, whatever the size."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, text, tuple_

from student_hub.history.checking import Key, Ready
from student_hub.history.models import EventKeyRow, LearningEventRow
from student_hub.history.schemas import Event, Voided, VoidedEvent
from student_hub.platform.db.database import Transaction

STORE = text(
    """
    WITH incoming AS (
        SELECT * FROM unnest(
            CAST(:source_nodes AS smallint[]), CAST(:source_ids AS text[]),
            CAST(:student_ids AS uuid[]), CAST(:event_types AS text[]),
            CAST(:instants AS timestamptz[]), CAST(:fingerprints AS bytea[]),
            CAST(:contents AS text[])
        ) WITH ORDINALITY AS i (source_node, source_id, student_id, event_type, occurred_at,
            fingerprint, content, place)
    ), numbered AS MATERIALIZED (
        SELECT place, nextval('learning_history_id_seq') AS event_id
        FROM generate_series(1, :size) AS place
    ), keyed AS (
        INSERT INTO event_keys
            (source_node, source_id, student_id, event_id, occurred_at, fingerprint)
        SELECT source_node, source_id, student_id, event_id, occurred_at, fingerprint
        FROM incoming JOIN numbered USING (place)
        ORDER BY source_node, source_id COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING source_node, source_id, event_id
    ), stored AS (
        INSERT INTO learning_history
            (id, student_id, event_type, source_node, source_id, content, occurred_at)
        SELECT event_id, student_id, event_type, source_node, source_id, CAST(content AS jsonb),
            occurred_at
        FROM incoming JOIN keyed USING (source_node, source_id)
        RETURNING id
    )
    SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids,
        coalesce(array_agg(place ORDER BY id), '{}') AS places
    FROM stored JOIN numbered ON event_id = id
    """
)
KNOWN = text(
    """
    SELECT source_node, source_id, fingerprint, voided_at IS NOT NULL AS voided
    FROM event_keys JOIN unnest(CAST(:source_nodes AS smallint[]), CAST(:source_ids AS text[]))
        AS wanted (source_node, source_id) USING (source_node, source_id)
    """
)
MAKE_PARTITION = text("SELECT learning_history_make_partition(:month)")
MAKE_PARTITIONS = text("SELECT learning_history_make_partitions(:ahead)")
DROP_BEFORE = text("SELECT learning_history_drop_before(:cutoff)")
EVENT = (
    LearningEventRow.id,
    LearningEventRow.student_id,
    LearningEventRow.event_type,
    LearningEventRow.source_node,
    LearningEventRow.source_id,
    LearningEventRow.occurred_at,
    LearningEventRow.content,
)


class StoredEvent(NamedTuple):
    """An event that is new in the history, and its id there."""

    id: int
    item: Ready


class KnownEvent(NamedTuple):
    """An event that was known: what it said, and whether it was voided."""

    fingerprint: bytes
    voided: bool


class Position(NamedTuple):
    """Where a page of the history ended."""

    occurred_at: datetime
    id: int


async def store(tx: Transaction, ready: Sequence[Ready]) -> list[StoredEvent]:
    """Those of the events that were not known, with ids in the order of arrival.

    Their keys are locked in the order of the keys: two batches wait for each other, no deadlock.
    """
    found = await tx.session.execute(
        STORE,
        {
            "size": len(ready),
            "source_nodes": [item.event.source_node for item in ready],
            "source_ids": [item.event.source_id for item in ready],
            "student_ids": [item.event.student_id for item in ready],
            "event_types": [item.event.event_type for item in ready],
            "instants": [item.event.occurred_at for item in ready],
            "fingerprints": [item.fingerprint for item in ready],
            "contents": [item.content for item in ready],
        },
    )
    stored = found.one()
    pairs = zip(stored.ids, stored.places, strict=True)
    return [StoredEvent(number, ready[place - 1]) for number, place in pairs]


async def known(tx: Transaction, keys: Sequence[Key]) -> dict[Key, KnownEvent]:
    rows = await tx.session.execute(
        KNOWN,
        {"source_nodes": [node for node, _ in keys], "source_ids": [name for _, name in keys]},
    )
    return {
        (row.source_node, row.source_id): KnownEvent(row.fingerprint, row.voided) for row in rows
    }


async def newest(
    tx: Transaction,
    student_id: UUID,
    since: datetime,
    before: Position | None,
    event_type: str | None,
    limit: int,
) -> list[Event]:
    """The student's events since then, newest first, after the position."""
    at, number = LearningEventRow.occurred_at, LearningEventRow.id
    query = select(*EVENT).where(LearningEventRow.student_id == student_id, at >= since)
    if before is not None:
        query = query.where(at <= before.occurred_at, tuple_(at, number) < tuple_(*before))
    if event_type is not None:
        query = query.where(LearningEventRow.event_type == event_type)
    rows = await tx.session.execute(query.order_by(at.desc(), number.desc()).limit(limit))
    return [Event.model_validate(row._asdict()) for row in rows]


async def by_id(tx: Transaction, ids: Iterable[int]) -> list[Event]:
    """Those of the events that are still in the history, in the order of their ids."""
    query = select(*EVENT).where(LearningEventRow.id.in_(list(ids))).order_by(LearningEventRow.id)
    return [Event.model_validate(row._asdict()) for row in await tx.session.execute(query)]


async def voided_of(
    tx: Transaction, student_id: UUID, after: Key | None, limit: int
) -> list[VoidedEvent]:
    """What was voided of a student after that event, in the order of the events' keys."""
    key = tuple_(EventKeyRow.source_node, EventKeyRow.source_id)
    mine = (EventKeyRow.student_id == student_id, EventKeyRow.voided_at.is_not(None))
    columns = [getattr(EventKeyRow, name) for name in VoidedEvent.model_fields]
    query = select(*columns).where(*mine).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > tuple_(*after))
    return [VoidedEvent.model_validate(row._asdict()) for row in await tx.session.execute(query)]


async def student_of(tx: Transaction, key: Key) -> UUID | None:
    """Whose event it is, unlocked: their row must be locked before the key's."""
    query = select(EventKeyRow.student_id).where(*_is(key))
    found: UUID | None = await tx.session.scalar(query)
    return found


async def void(tx: Transaction, key: Key, by: str, at: datetime) -> Voided | None:
    """The event out of the history, its key kept; a voided one as it is; None when unknown."""
    query = select(EventKeyRow).where(*_is(key))
    row = (await tx.session.scalars(query.with_for_update())).one_or_none()
    if row is None:
        return None
    if row.voided_at is None:
        row.voided_event = await _take_out(tx, row.event_id, row.occurred_at)
        row.voided_at, row.voided_by = at, by
    return Voided(
        source_node=row.source_node,
        source_id=row.source_id,
        student_id=row.student_id,
        voided_at=row.voided_at,
    )


async def key_of(tx: Transaction, student_id: UUID, event_id: int) -> Key | None:
    """Which event of the student it is; None when its key is gone."""
    columns = (EventKeyRow.source_node, EventKeyRow.source_id)
    mine = (EventKeyRow.student_id == student_id, EventKeyRow.event_id == event_id)
    row = (await tx.session.execute(select(*columns).where(*mine))).one_or_none()
    return None if row is None else (row.source_node, row.source_id)


async def event_id_of(tx: Transaction, key: Key) -> int | None:
    found: int | None = await tx.session.scalar(select(EventKeyRow.event_id).where(*_is(key)))
    return found


async def make_partition(tx: Transaction, month: date) -> str | None:
    made: str | None = await tx.session.scalar(MAKE_PARTITION, {"month": month})
    return made


async def make_partitions(tx: Transaction, ahead: int) -> list[str]:
    return list(await tx.session.scalars(MAKE_PARTITIONS, {"ahead": ahead}))


async def drop_before(tx: Transaction, cutoff: date) -> list[str]:
    return list(await tx.session.scalars(DROP_BEFORE, {"cutoff": cutoff}))


def _is(key: Key) -> tuple[ColumnElement[bool], ...]:
    return EventKeyRow.source_node == key[0], EventKeyRow.source_id == key[1]


async def _take_out(tx: Transaction, event_id: int, occurred_at: datetime) -> dict[str, object]:
    row = and_(LearningEventRow.id == event_id, LearningEventRow.occurred_at == occurred_at)
    columns = (LearningEventRow.event_type, LearningEventRow.content)
    taken = (
        await tx.session.execute(delete(LearningEventRow).where(row).returning(*columns))
    ).one()
    return {"event_type": taken.event_type, "content": taken.content}
