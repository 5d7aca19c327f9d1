"""The tables of the room."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant

TYPES = "type IN ('auto', 'teacher_requested')"
STATES = "status IN ('proposed', 'active', 'paused', 'completed', 'cancelled')"


class InterventionRow(Base):
    """An intervention; `marks` say by step number when and by whom it was done."""

    __tablename__ = "interventions"
    __table_args__ = (
        Index("ix_interventions_student_id", "student_id"),
        Index("ix_interventions_status", "status"),
        Index("ix_interventions_created_at", text("created_at DESC")),
        Index(
            "ix_interventions_running", "ends_at", "id", postgresql_where=text("status = 'active'")
        ),
        CheckConstraint(TYPES, name="type"),
        CheckConstraint(STATES, name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(20))
    target_level: Mapped[float] = mapped_column(Float)
    duration_days: Mapped[int] = mapped_column(SmallInteger)
    weak_areas: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    learning_path: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    marks: Mapped[dict[str, Any]] = mapped_column(JSONB)
    progress: Mapped[dict[str, int]] = mapped_column(JSONB)
    tasks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    last_check: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    started_at: Mapped[Instant | None]
    ends_at: Mapped[Instant | None]
    completed_at: Mapped[Instant | None]
    """When it ended, however it ended."""
    overdue_told_at: Mapped[Instant | None]


class CallRow(Base):
    """A call that made an intervention, and what it was answered; found by who called and how."""

    __tablename__ = "intervention_calls"
    __table_args__ = (Index("ix_intervention_calls_intervention_id", "intervention_id"),)

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    call: Mapped[str] = mapped_column(String(110), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    intervention_id: Mapped[UUID] = mapped_column(
        ForeignKey("interventions.id", ondelete="CASCADE")
    )
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[Instant]


class NoteRow(Base):
    """A decision or a progress check, as it was at that time."""

    __tablename__ = "intervention_notes"
    __table_args__ = (
        Index("ix_intervention_notes_intervention_id", "intervention_id", "at"),
        CheckConstraint("kind IN ('decision', 'check')", name="kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    intervention_id: Mapped[UUID] = mapped_column(
        ForeignKey("interventions.id", ondelete="CASCADE")
    )
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[Instant]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AbilityRow(Base):
    """A student's ability (logits) at the start or end of an intervention, theirs or another's."""

    __tablename__ = "intervention_abilities"
    __table_args__ = (
        Index("ix_intervention_abilities_student_id", "student_id"),
        CheckConstraint("phase IN ('start', 'end')", name="phase"),
    )

    intervention_id: Mapped[UUID] = mapped_column(
        ForeignKey("interventions.id", ondelete="CASCADE"), primary_key=True
    )
    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), primary_key=True
    )
    phase: Mapped[str] = mapped_column(String(5), primary_key=True)
    treated: Mapped[bool]
    ability: Mapped[float] = mapped_column(Float)
    at: Mapped[Instant]
