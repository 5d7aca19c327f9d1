"""The tables of the room: students, their keys and generations, consents, stops of processing."""

from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, BigInt, Instant


class StudentRow(Base):
    """A student; name, email, parent_contact and care are sealed with the student's own key.

    `care` holds `special_needs`, which is health information; the rest of `metadata` is in clear.
    """

    __tablename__ = "students"
    __table_args__ = (
        UniqueConstraint(
            "school_id", "grade", "class_name", "student_number", name="uq_students_number"
        ),
        # The constraint above says nothing about NULL numbers: a class may have several students
        # without a number yet, but no two of them with one name.
        Index(
            "uq_students_unnumbered",
            "school_id",
            "grade",
            "class_name",
            "name_index",
            unique=True,
            postgresql_where=text("student_number IS NULL"),
        ),
        Index("ix_students_grade_class_name", "grade", "class_name"),
        Index(
            "ix_students_metadata",
            "metadata",
            postgresql_using="gin",
            postgresql_ops={"metadata": "jsonb_path_ops"},
        ),
        # Rows of before v0009 until their care notes are sealed: empty, and so free, ever after.
        Index("ix_students_clear_care", "id", postgresql_where=text("metadata ? 'special_needs'")),
        CheckConstraint("grade BETWEEN 1 AND 12", name="grade"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    name_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    school_id: Mapped[str] = mapped_column(String(50), index=True)
    grade: Mapped[int] = mapped_column(SmallInteger)
    class_name: Mapped[str] = mapped_column(String(50))
    student_number: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    parent_contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    care: Mapped[bytes | None] = mapped_column(LargeBinary)
    details: Mapped[dict[str, object]] = mapped_column("metadata", JSONB)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class StudentKeyRow(Base):
    """A student's data key, wrapped by the master key `key_id`; a table that can be kept apart."""

    __tablename__ = "student_keys"

    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), primary_key=True
    )
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))


class StudentGenerationRow(Base):
    """A number that is new after every change that concerns the student; part of cache keys."""

    __tablename__ = "student_generations"

    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[BigInt]


class ConsentRow(Base):
    """A consent that somebody gave for a student, until it is withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        Index("ix_consents_student_id", "student_id"),
        # Said twice it is one consent: withdrawing it once must be enough.
        Index(
            "uq_consents_valid",
            "student_id",
            "purpose",
            "version",
            "given_by_relation",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(50))
    version: Mapped[str] = mapped_column(String(50))
    method: Mapped[str] = mapped_column(String(20))
    given_by_relation: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[Instant]
    recorded_by: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[Instant | None] = mapped_column(default=None)
    withdrawn_by: Mapped[str | None] = mapped_column(Text, default=None)


class ProcessingRow(Base):
    """Whether a student's data may be processed, since when, and who said so; none: it may."""

    __tablename__ = "student_processing"
    __table_args__ = (CheckConstraint("state IN ('open', 'stopped')", name="state"),)

    student_id: Mapped[UUID] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str] = mapped_column(String(20))
    since: Mapped[Instant]
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(200))
