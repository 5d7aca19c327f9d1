"""The tables of the audit log, which only this room writes; in all of them rows are never changed.

`audit_inbox` has what has arrived, `audit_log` what is sealed, `audit_seals` a row a sealed batch.
"""

from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

from student_hub.platform.db.base import Base, BigInt, Instant


class Noted(MappedAsDataclass):
    """The columns of an entry."""

    id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[Instant]
    subject: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(Text)
    door: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    student_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, object]] = mapped_column(JSONB)


class AuditInboxRow(Noted, Base):
    """An entry that has arrived and is not sealed yet."""

    __tablename__ = "audit_inbox"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class AuditLogRow(Noted, Base):
    """An entry in its place: `seq` has no gaps, `hash` is the chain up to here."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("uq_audit_log_id", "id", unique=True),
        Index("ix_audit_log_subject_id", "subject", "id"),
        Index("ix_audit_log_student_ids", "student_ids", postgresql_using="gin"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditSealRow(Base):
    """What closes a batch of the log (see `chain.Seal`)."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_seq: Mapped[BigInt]
    last_seq: Mapped[BigInt]
    count: Mapped[int]
    head_before: Mapped[bytes] = mapped_column(LargeBinary)
    head: Mapped[bytes] = mapped_column(LargeBinary)
    seal_before: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_before_at: Mapped[Instant | None]
    sealed_at: Mapped[Instant]
    key_id: Mapped[str] = mapped_column(Text)
    mac: Mapped[bytes] = mapped_column(LargeBinary)
