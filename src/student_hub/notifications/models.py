"""The tables of the room: notices, one row a message, addresses that refuse, preferences."""

from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant

STATES = "state IN ('pending', 'sending', 'sent', 'failed', 'dead', 'unknown', 'held')"


class NoticeRow(Base):
    """Something to tell about a student; `facts` are ids, numbers, dates, curriculum words."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("uq_notices_event", "event", "template", unique=True),
        Index("ix_notices_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(200))
    template: Mapped[str] = mapped_column(String(50))
    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), index=True
    )
    recipients: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    facts: Mapped[dict[str, object]] = mapped_column(JSONB)
    critical: Mapped[bool]
    created_at: Mapped[Instant]


class NotificationRow(Base):
    """One message of a notice to one recipient by one channel: outbox, log and inbox in one."""

    __tablename__ = "notifications"
    __table_args__ = (
        # With the notice's own unique event and template: one message for each, ever.
        Index("uq_notifications_once", "notice_id", "recipient", "channel", unique=True),
        Index("ix_notifications_student_id", "student_id", "id"),
        Index("ix_notifications_recipient", "recipient", "channel", "id"),
        Index(
            "ix_notifications_open", "id", postgresql_where=text("state NOT IN ('sent', 'held')")
        ),
        CheckConstraint(STATES, name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    reader: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str | None] = mapped_column(String(320))
    """The recipient where it is a subject; null where a contact of the register is meant."""
    channel: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(50))
    tries: Mapped[int] = mapped_column(server_default="0")
    provider_id: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Instant]
    due_at: Mapped[Instant]
    sent_at: Mapped[Instant | None]
    read_at: Mapped[Instant | None]


class BadAddressRow(Base):
    """A contact of the register that a server has refused for good: a keyed print of it."""

    __tablename__ = "bad_addresses"

    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    reason: Mapped[str] = mapped_column(String(50))
    marked_at: Mapped[Instant]


class PreferenceRow(Base):
    """How a subject wants to hear; `sealed` are their addresses under a key of the row's own."""

    __tablename__ = "notification_preferences"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(320), unique=True)
    language: Mapped[str] = mapped_column(String(5))
    channels: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    quiet_hours: Mapped[str | None] = mapped_column(String(80))
    bad: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))
    updated_at: Mapped[Instant]
