"""Notices and notifications in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from student_hub.notifications.models import BadAddressRow, NoticeRow, NotificationRow
from student_hub.notifications.schemas import (
    ChannelName,
    Kept,
    Notice,
    Notification,
    NotificationFilter,
    State,
)
from student_hub.platform.db.database import Transaction

NOTICE = tuple(NoticeRow.__table__.columns)
OF_NOTICE = ("event", "template")
NOTIFICATION = (
    *(
        getattr(NotificationRow, name)
        for name in Notification.model_fields
        if name not in OF_NOTICE
    ),
    NoticeRow.event,
    NoticeRow.template,
)
PRUNED_AT_ONCE = 5_000


class Begun(StrEnum):
    """What a run finds when it begins."""

    GO = "go"
    OVER = "over"
    UNKNOWN = "unknown"
    """An earlier run had begun, and nobody knows how far it came."""


async def add_notice(tx: Transaction, notice_id: UUID, notice: Notice, now: datetime) -> bool:
    """Stores a notice; False when its event is known."""
    values = notice.model_dump(mode="json", exclude={"student_id", "recipients"})
    row = {**values, "id": notice_id, "student_id": notice.student_id, "created_at": now}
    row["recipients"] = sorted(recipient.value for recipient in notice.recipients)
    new = insert(NoticeRow).values(row).on_conflict_do_nothing(index_elements=["event", "template"])
    return (await tx.session.execute(new.returning(NoticeRow.id))).one_or_none() is not None


async def notice(tx: Transaction, notice_id: UUID) -> Kept | None:
    row = (await tx.session.execute(select(*NOTICE).where(NoticeRow.id == notice_id))).one_or_none()
    return None if row is None else Kept.model_validate(row._asdict())


async def add(tx: Transaction, rows: Iterable[dict[str, object]]) -> set[UUID]:
    """Stores messages; the ids of those that were not there before."""
    stored: set[UUID] = set()
    for row in rows:
        new = insert(NotificationRow).values(row).on_conflict_do_nothing()
        stored.update(await tx.session.scalars(new.returning(NotificationRow.id)))
    return stored


async def one(tx: Transaction, notification_id: UUID) -> Notification | None:
    query = _shown().where(NotificationRow.id == notification_id)
    row = (await tx.session.execute(query)).one_or_none()
    return None if row is None else Notification.model_validate(row._asdict())


async def notice_of(tx: Transaction, notification_id: UUID) -> Kept | None:
    query = select(*NOTICE).join(NotificationRow, NotificationRow.notice_id == NoticeRow.id)
    row = (
        await tx.session.execute(query.where(NotificationRow.id == notification_id))
    ).one_or_none()
    return None if row is None else Kept.model_validate(row._asdict())


async def hold(tx: Transaction, notification_id: UUID) -> Notification | None:
    """The same, locked until the transaction ends."""
    lock = select(NotificationRow.id).where(NotificationRow.id == notification_id)
    await tx.session.execute(lock.with_for_update())
    return await one(tx, notification_id)


async def begin(tx: Transaction, notification_id: UUID, *, repeatable: bool) -> Begun:
    """Notes that it is being sent, unless it is over; see `Begun`."""
    held = await hold(tx, notification_id)
    if held is None or held.state not in {State.PENDING, State.SENDING}:
        return Begun.OVER
    if held.state is State.SENDING and not repeatable:
        await change(tx, notification_id, state=State.UNKNOWN, reason="broke_off")
        return Begun.UNKNOWN
    await change(tx, notification_id, state=State.SENDING, tries=held.tries + 1)
    return Begun.GO


async def change(tx: Transaction, notification_id: UUID, **values: object) -> None:
    plain = {name: v.value if isinstance(v, StrEnum) else v for name, v in values.items()}
    statement = update(NotificationRow).where(NotificationRow.id == notification_id)
    await tx.session.execute(statement.values(plain))


async def page(
    tx: Transaction, wanted: NotificationFilter, after: UUID | None, limit: int
) -> list[Notification]:
    """Those that pass every given filter, the newest first."""
    query = _shown().order_by(NotificationRow.id.desc()).limit(limit)
    for name in NotificationFilter.model_fields:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(getattr(NotificationRow, name) == _value(value))
    if after is not None:
        query = query.where(NotificationRow.id < after)
    return [Notification.model_validate(row._asdict()) for row in await tx.session.execute(query)]


async def of_student(tx: Transaction, student_id: UUID) -> list[Notification]:
    query = _shown().where(NotificationRow.student_id == student_id).order_by(NotificationRow.id)
    return [Notification.model_validate(row._asdict()) for row in await tx.session.execute(query)]


async def inbox(
    tx: Transaction, subject: str, after: UUID | None, limit: int, *, unread: bool
) -> list[tuple[Notification, Kept]]:
    """The subject's own messages with what they are about, the newest first."""
    query = _shown().where(*_mine(subject)).order_by(NotificationRow.id.desc()).limit(limit)
    if unread:
        query = query.where(NotificationRow.read_at.is_(None))
    if after is not None:
        query = query.where(NotificationRow.id < after)
    rows = [Notification.model_validate(row._asdict()) for row in await tx.session.execute(query)]
    about = select(NotificationRow.id, NoticeRow).join(
        NoticeRow, NoticeRow.id == NotificationRow.notice_id
    )
    found = await tx.session.execute(about.where(NotificationRow.id.in_([row.id for row in rows])))
    notices = {row[0]: Kept.model_validate(row[1], from_attributes=True) for row in found}
    return [(row, notices[row.id]) for row in rows]


async def unread(tx: Transaction, subject: str) -> int:
    query = select(func.count()).where(*_mine(subject), NotificationRow.read_at.is_(None))
    return await tx.session.scalar(query) or 0


async def mark_read(
    tx: Transaction, subject: str, notification_id: UUID, now: datetime
) -> UUID | None:
    """The student whom the message is about; None when the subject has no such message."""
    mine = (NotificationRow.id == notification_id, *_mine(subject))
    read = func.coalesce(NotificationRow.read_at, now)
    marked = update(NotificationRow).where(*mine).values(read_at=read)
    found: UUID | None = await tx.session.scalar(marked.returning(NotificationRow.student_id))
    return found


async def digest_waits(tx: Transaction, recipient: str, template: str, student_id: UUID) -> bool:
    """Whether a collected message of that kind waits already; others ask after this one."""
    key = func.hashtext(f"{recipient}/{template}/{student_id}")
    await tx.session.execute(select(func.pg_advisory_xact_lock(key)))
    query = _shown().where(
        NotificationRow.recipient == recipient,
        NotificationRow.student_id == student_id,
        NoticeRow.template == template,
        NotificationRow.state == State.PENDING.value,
    )
    return (await tx.session.execute(query.limit(1))).first() is not None


async def collected(tx: Transaction, leader: Notification, reason: str) -> list[UUID]:
    """Those that go out with that message."""
    query = _ids().where(
        NotificationRow.recipient == leader.recipient,
        NotificationRow.student_id == leader.student_id,
        NotificationRow.channel == leader.channel.value,
        NoticeRow.template == leader.template.value,
        NotificationRow.state == State.HELD.value,
        NotificationRow.reason == reason,
    )
    return list(await tx.session.scalars(query))


async def mark_bad(
    tx: Transaction, student_id: UUID, fingerprint: bytes, reason: str, now: datetime
) -> None:
    values = {"student_id": student_id, "fingerprint": fingerprint, "reason": reason}
    statement = insert(BadAddressRow).values({**values, "marked_at": now})
    await tx.session.execute(statement.on_conflict_do_nothing())


async def is_bad(tx: Transaction, student_id: UUID, fingerprints: Sequence[bytes]) -> bool:
    query = select(BadAddressRow.reason).where(
        BadAddressRow.student_id == student_id, BadAddressRow.fingerprint.in_(fingerprints)
    )
    return (await tx.session.execute(query.limit(1))).first() is not None


async def prune(tx: Transaction, cutoff: datetime) -> int:
    """Deletes notices of before then with all their messages; how many, at most 5,000."""
    old = select(NoticeRow.id).where(NoticeRow.created_at < cutoff).limit(PRUNED_AT_ONCE)
    gone = await tx.session.execute(
        delete(NoticeRow).where(NoticeRow.id.in_(old)).returning(NoticeRow.id)
    )
    return len(gone.all())


def _shown() -> Select[Any]:
    return select(*NOTIFICATION).join(NoticeRow, NoticeRow.id == NotificationRow.notice_id)


def _ids() -> Select[Any]:
    return select(NotificationRow.id).join(NoticeRow, NoticeRow.id == NotificationRow.notice_id)


def _mine(subject: str) -> tuple[ColumnElement[bool], ...]:
    return (
        NotificationRow.recipient == subject,
        NotificationRow.subject == subject,
        NotificationRow.channel == ChannelName.IN_APP.value,
        NotificationRow.state == State.SENT.value,
    )


def _value(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value
