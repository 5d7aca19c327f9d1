"""Keys in PostgreSQL. One UPDATE or INSERT is one notification to all who remember the key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from student_hub.access.models import ApiKey
from student_hub.platform.db.database import Transaction


async def find(tx: Transaction, key_id: str) -> ApiKey | None:
    """The key of that id, whatever its state."""
    return await tx.session.get(ApiKey, key_id)


async def find_to_change(tx: Transaction, key_id: str) -> ApiKey | None:
    """The same, locked until the transaction ends."""
    return await tx.session.get(ApiKey, key_id, with_for_update=True)


async def newest_first(tx: Transaction) -> Sequence[ApiKey]:
    """Every key, the newest first."""
    rows = await tx.session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id))
    return rows.all()


async def good_now(tx: Transaction, now: datetime) -> Sequence[ApiKey]:
    """Every key that is good at that moment, the oldest first."""
    query = select(ApiKey).where(_is_good(now)).order_by(ApiKey.created_at, ApiKey.id)
    return (await tx.session.scalars(query)).all()


async def good_beside(tx: Transaction, key: ApiKey, now: datetime) -> int:
    """How many other keys of the line are good at that moment."""
    line = func.coalesce(ApiKey.line, ApiKey.id) == (key.line or key.id)
    query = select(func.count()).where(line, ApiKey.id != key.id, _is_good(now))
    return await tx.session.scalar(query) or 0


async def add(tx: Transaction, key: ApiKey) -> None:
    """Stores a new key."""
    tx.session.add(key)
    await tx.session.flush()


async def revoke(tx: Transaction, key_id: str, now: datetime) -> ApiKey | None:
    """The key, revoked now unless it already was; None when there is none."""
    key = await find_to_change(tx, key_id)
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


async def hash_anew(
    tx: Transaction, key_id: str, old: bytes, new: bytes, master_key_id: str
) -> None:
    """Keeps the hash under another master key, unless another process has done so."""
    same = and_(ApiKey.id == key_id, ApiKey.hash == old)
    await tx.session.execute(
        update(ApiKey).where(same).values(hash=new, master_key_id=master_key_id)
    )


def _is_good(now: datetime) -> ColumnElement[bool]:
    lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    return and_(ApiKey.revoked_at.is_(None), lasting)
