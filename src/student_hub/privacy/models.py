"""The table `erasures`, which only this room writes."""

from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant


class ErasureRow(Base):
    """The proof that a student was erased; it holds no personal data but the id that was theirs.

    `seal` is an HMAC over what never changes of it, under the master key `seal_key_id`. What the
    nodes and the caches did comes later.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_erased_at", "erased_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    student_id: Mapped[UUID] = mapped_column(index=True)
    erased_at: Mapped[Instant]
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(200))
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
    key_destroyed: Mapped[str] = mapped_column(String(16))
    seal: Mapped[bytes] = mapped_column(LargeBinary)
    seal_key_id: Mapped[str] = mapped_column(String(16))
    nodes: Mapped[dict[str, str]] = mapped_column(JSONB)
    cache_emptied_at: Mapped[Instant | None] = mapped_column(default=None)
