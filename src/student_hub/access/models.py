"""The tables `api_keys` and `grants`, which only this room writes."""

from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy import String as Short
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant


class ApiKey(Base):
    """A key that was issued; of its secret only a keyed hash."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(
            "role IN ('admin', 'teacher', 'student', 'parent', 'service')", name="role"
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None] = mapped_column(default=None)
    revoked_at: Mapped[Instant | None] = mapped_column(default=None)
    last_used_at: Mapped[Instant | None] = mapped_column(default=None)
    role: Mapped[str] = mapped_column(Text, server_default="service", default="service")
    subject: Mapped[str | None] = mapped_column(Text, default=None)
    """Whose key it is; nobody's but its own when null."""
    master_key_id: Mapped[str | None] = mapped_column(Text, default=None)
    """Under which master key it was hashed; any known one when null."""
    line: Mapped[str | None] = mapped_column(Text, default=None, index=True)
    """The first key of those that replaced each other; itself when null."""
    replaced_by: Mapped[str | None] = mapped_column(Text, default=None)


class GrantRow(Base):
    """One reason why a subject may see students: a place, or one student."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 12", name="grade"),
        Index("ix_grants_place", "school_id", "grade", "class_name"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Short(320), index=True)
    kind: Mapped[str] = mapped_column(Short(10))
    school_id: Mapped[str | None] = mapped_column(Short(50))
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    class_name: Mapped[str | None] = mapped_column(Short(50))
    student_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("students.id", ondelete="CASCADE"), index=True
    )
    relation: Mapped[str] = mapped_column(Short(50))
    granted_by: Mapped[str] = mapped_column(Short(320))
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None] = mapped_column(default=None)
