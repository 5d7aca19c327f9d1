"""The table `api_keys`, which only this room writes."""

from sqlalchemy import ARRAY, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant


class ApiKey(Base):
    """A key that was issued; of its secret only a keyed hash."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None] = mapped_column(default=None)
    revoked_at: Mapped[Instant | None] = mapped_column(default=None)
    last_used_at: Mapped[Instant | None] = mapped_column(default=None)
