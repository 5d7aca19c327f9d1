"""The tables of the room."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from student_hub.platform.db.base import Base, Instant


class TaskRow(Base):
    """A task; its next time is the truth about when it fires, and moves forwards alone."""

    __tablename__ = "scheduled_tasks"
    __table_args__ = (
        Index(
            "ix_scheduled_tasks_due",
            "next_run_at",
            "id",
            postgresql_where=text("status = 'active'"),
        ),
        Index("ix_scheduled_tasks_student_id", "student_id"),
        Index(
            "uq_scheduled_tasks_request",
            "created_by",
            "request_key",
            unique=True,
            postgresql_where=text("request_key IS NOT NULL"),
        ),
        Index("ix_scheduled_tasks_call", "created_by", "request_hash", "created_at"),
        CheckConstraint("schedule_type IN ('cron', 'interval', 'one_time')", name="schedule_type"),
        CheckConstraint("status IN ('active', 'paused', 'completed', 'cancelled')", name="status"),
        CheckConstraint("status <> 'active' OR next_run_at IS NOT NULL", name="next_run"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    student_id: Mapped[UUID | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    task_type: Mapped[str] = mapped_column(String(100))
    schedule_type: Mapped[str] = mapped_column(String(10))
    cron_expression: Mapped[str | None] = mapped_column(String(100))
    interval_seconds: Mapped[int | None]
    run_at: Mapped[Instant | None]
    timezone: Mapped[str] = mapped_column(String(64))
    config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    next_run_at: Mapped[Instant | None]
    last_run_at: Mapped[Instant | None]
    status: Mapped[str] = mapped_column(String(10))
    standing: Mapped[str | None] = mapped_column(String(100), unique=True)
    request_key: Mapped[str | None] = mapped_column(String(100))
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]


class RunRow(Base):
    """A run of a task, for one of its times; open while it has no outcome."""

    __tablename__ = "scheduled_task_runs"
    __table_args__ = (
        # Also what makes it impossible to fire for one time twice.
        Index("uq_scheduled_task_runs_slot", "task_id", "scheduled_for", unique=True),
        Index("ix_scheduled_task_runs_open", "id", postgresql_where=text("outcome IS NULL")),
        CheckConstraint("outcome IN ('done', 'failed', 'skipped')", name="outcome"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("scheduled_tasks.id", ondelete="CASCADE"))
    scheduled_for: Mapped[Instant]
    run_now: Mapped[bool]
    started_at: Mapped[Instant]
    finished_at: Mapped[Instant | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(100))
    missed: Mapped[int]
    total: Mapped[int] = mapped_column(default=1, server_default="1")
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    failed: Mapped[int] = mapped_column(default=0, server_default="0")
