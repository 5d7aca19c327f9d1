"""Reads and writes of `api_keys`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from student_hub.access.models import ApiKey
from student_hub.platform.db.database import Transaction


async def find(tx: Transaction, key_id: str) -> ApiKey | None:
    """The key of that id, whatever its state."""
    return await tx.session.get(ApiKey, key_id)


async def newest_first(tx: Transaction) -> Sequence[ApiKey]:
    """Every key, the newest first."""
    rows = await tx.session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id))
    return rows.all()


async def add(tx: Transaction, key: ApiKey) -> None:
    """Stores a new key."""
    tx.session.add(key)
    await tx.session.flush()


async def revoke(tx: Transaction, key_id: str, now: datetime) -> ApiKey | None:
    """The key, revoked now unless it already was; None when there is none."""
    key = await tx.session.get(ApiKey, key_id, with_for_update=True)
    if key is not None and key.revoked_at is None:
        key.revoked_at = now
        await tx.session.flush()
    return key


async def note_use(tx: Transaction, key_id: str, now: datetime, every: timedelta) -> None:
    """Notes the use unless one was noted less than `every` ago, by any process."""
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - every)
    await tx.session.execute(
        update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now)
    )
