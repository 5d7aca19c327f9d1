"""The table `jobs`, written by the ledger and the desk alone."""

from typing import Any

from sqlalchemy import Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, BigInt, Instant


class JobRow(Base):
    """One job: due while `finished_at` is empty, running while `leased_until` lies ahead."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_due",
            "queue",
            "not_before",
            "id",
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_jobs_dead", "id", postgresql_where=text("failed")),
    )

    id: Mapped[BigInt] = mapped_column(primary_key=True, init=False)
    queue: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    unique_key: Mapped[str | None] = mapped_column(unique=True, default=None)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    most_attempts: Mapped[int] = mapped_column(default=12, server_default="12")
    runs: Mapped[BigInt] = mapped_column(default=0, server_default="0")
    """Counts claims and never goes back: who holds an older number has lost the job."""
    not_before: Mapped[Instant] = mapped_column(server_default=func.now(), init=False)
    leased_until: Mapped[Instant | None] = mapped_column(default=None)
    started_at: Mapped[Instant | None] = mapped_column(default=None)
    worker: Mapped[str | None] = mapped_column(default=None)
    finished_at: Mapped[Instant | None] = mapped_column(default=None)
    failed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    last_error: Mapped[str | None] = mapped_column(default=None)
    last_message: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[Instant] = mapped_column(server_default=func.now(), init=False)
