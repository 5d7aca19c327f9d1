"""The tables of the room: the history in partitions, the events' keys, import checkpoints."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Sequence,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, BigInt, Instant


class LearningEventRow(Base):
    """One event of one student. Voided events are not in here (see `EventKeyRow`)."""

    __tablename__ = "learning_history"
    __table_args__ = (
        Index("ix_learning_history_student", "student_id", text("occurred_at DESC")),
        CheckConstraint("event_type IN ('study', 'test', 'intervention')", name="event_type"),
        CheckConstraint("source_node >= 0", name="source_node"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, Sequence("learning_history_id_seq"), primary_key=True
    )
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(20), index=True)
    source_node: Mapped[int] = mapped_column(SmallInteger)
    source_id: Mapped[str] = mapped_column(String(200))
    content: Mapped[dict[str, object]] = mapped_column(JSONB)
    occurred_at: Mapped[Instant] = mapped_column(primary_key=True)
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))


class EventKeyRow(Base):
    """Who an event is: what a unique index cannot say on a partitioned table.

    `fingerprint` is the SHA-256 of all that the event says. A voided event leaves the history and
    keeps its key, so that it stays voided when it is sent again; `voided_event` is what it said.
    """

    __tablename__ = "event_keys"

    source_node: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), index=True
    )
    event_id: Mapped[BigInt]
    occurred_at: Mapped[Instant] = mapped_column(index=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    voided_at: Mapped[Instant | None] = mapped_column(default=None)
    voided_by: Mapped[str | None] = mapped_column(String(200), default=None)
    voided_event: Mapped[dict[str, object] | None] = mapped_column(JSONB, default=None)


class ImportRow(Base):
    """How far the import of a file has come; written in the transaction of each batch."""

    __tablename__ = "imports"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    line: Mapped[BigInt]
    report: Mapped[dict[str, object]] = mapped_column(JSONB)
    started_at: Mapped[Instant]
    finished_at: Mapped[Instant | None] = mapped_column(default=None)
