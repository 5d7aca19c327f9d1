"""Reads and writes of `erasures`."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.platform.db.database import Transaction
from student_hub.privacy.models import ErasureRow


async def add(tx: Transaction, row: dict[str, object]) -> None:
    """Stores a proof; one that is there already stays as it is."""
    await tx.session.execute(insert(ErasureRow).values(row).on_conflict_do_nothing())


async def newest(tx: Transaction, after: UUID | None, limit: int) -> Sequence[ErasureRow]:
    """A page of the proofs, the newest first."""
    query = select(ErasureRow).order_by(ErasureRow.id.desc()).limit(limit)
    if after is not None:
        query = query.where(ErasureRow.id < after)
    return (await tx.session.scalars(query)).all()


async def oldest_first(tx: Transaction) -> AsyncIterator[ErasureRow]:
    """Every proof."""
    rows = await tx.session.stream_scalars(select(ErasureRow).order_by(ErasureRow.id))
    async for row in rows:
        yield row


async def of_student(tx: Transaction, student_id: UUID) -> Sequence[ErasureRow]:
    """The proofs of that id, the oldest first: a student may come back, and go again."""
    query = select(ErasureRow).where(ErasureRow.student_id == student_id)
    return (await tx.session.scalars(query.order_by(ErasureRow.id))).all()


async def per_key(tx: Transaction) -> dict[str, int]:
    """How many proofs are sealed under each master key."""
    query = select(ErasureRow.seal_key_id, func.count()).group_by(ErasureRow.seal_key_id)
    return {row[0]: row[1] for row in await tx.session.execute(query)}


async def sealed_otherwise(
    tx: Transaction, key_id: str, after: UUID | None, most: int
) -> Sequence[ErasureRow]:
    """Proofs under any other master key, in the order of their ids, locked."""
    query = select(ErasureRow).where(ErasureRow.seal_key_id != key_id).order_by(ErasureRow.id)
    if after is not None:
        query = query.where(ErasureRow.id > after)
    return (await tx.session.scalars(query.limit(most).with_for_update())).all()


async def seal(tx: Transaction, erasure_id: UUID, seal: bytes, key_id: str) -> None:
    statement = update(ErasureRow).where(ErasureRow.id == erasure_id)
    await tx.session.execute(statement.values(seal=seal, seal_key_id=key_id))


async def settle(tx: Transaction, erasure_id: UUID, node: str, said: str, at: datetime) -> None:
    """Notes that the caches are empty and what the node said."""
    row = await tx.session.get(ErasureRow, erasure_id, with_for_update=True)
    if row is not None:
        values = {"nodes": {**row.nodes, node: said}, "cache_emptied_at": at}
        await tx.session.execute(
            update(ErasureRow).where(ErasureRow.id == erasure_id).values(values)
        )
