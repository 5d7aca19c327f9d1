"""Scheduled tasks and their runs.

A run is seen with its task, a task with its student; one for all students only where all are seen.
Runs have no foreign key to students: firing would have to lock the student while it holds the task,
and an erasure takes the two the other way round.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from student_hub.migrations.protection import SEES_ALL, allow, seen_when, seen_with_student

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TASKS = "scheduled_tasks"
RUNS = "scheduled_task_runs"
# A firing changes next_run_at, which is indexed: what ends leaves dead entries at the index' head.
BUSY = "fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02"
TASK = f"SELECT FROM {TASKS} WHERE {TASKS}.id = {RUNS}.task_id"


def upgrade() -> None:
    _tasks()
    _runs()


def downgrade() -> None:
    op.drop_table(RUNS)
    op.drop_table(TASKS)


def _tasks() -> None:
    op.create_table(
        TASKS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid()),
        sa.Column("task_type", sa.String(100), nullable=False),
        sa.Column("schedule_type", sa.String(10), nullable=False),
        sa.Column("cron_expression", sa.String(100)),
        sa.Column("interval_seconds", sa.Integer()),
        _instant("run_at"),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        _instant("next_run_at"),
        _instant("last_run_at"),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("standing", sa.String(100)),
        sa.Column("request_key", sa.String(100)),
        sa.Column("request_hash", sa.LargeBinary()),
        sa.Column("created_by", sa.Text(), nullable=False),
        _instant("created_at", nullable=False),
        _instant("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_scheduled_tasks"),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["students.id"],
            name="fk_scheduled_tasks_student_id_students",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("standing", name="uq_scheduled_tasks_standing"),
        _check(TASKS, "schedule_type", "schedule_type IN ('cron', 'interval', 'one_time')"),
        _check(TASKS, "status", "status IN ('active', 'paused', 'completed', 'cancelled')"),
        _check(TASKS, "next_run", "status <> 'active' OR next_run_at IS NOT NULL"),
    )
    active, keyed = sa.text("status = 'active'"), sa.text("request_key IS NOT NULL")
    request, call = ["created_by", "request_key"], ["created_by", "request_hash", "created_at"]
    op.create_index("ix_scheduled_tasks_due", TASKS, ["next_run_at", "id"], postgresql_where=active)
    op.create_index("ix_scheduled_tasks_student_id", TASKS, ["student_id"])
    op.create_index(
        "uq_scheduled_tasks_request", TASKS, request, unique=True, postgresql_where=keyed
    )
    op.create_index("ix_scheduled_tasks_call", TASKS, call)
    op.execute(f"ALTER TABLE {TASKS} SET ({BUSY})")
    allow(TASKS, "SELECT", "INSERT", "UPDATE (next_run_at, last_run_at, status, ended_at)")
    seen_with_student(TASKS)


def _runs() -> None:
    op.create_table(
        RUNS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        _instant("scheduled_for", nullable=False),
        sa.Column("run_now", sa.Boolean(), nullable=False),
        _instant("started_at", nullable=False),
        _instant("finished_at"),
        sa.Column("outcome", sa.String(10)),
        sa.Column("reason", sa.String(100)),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), server_default="1", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scheduled_task_runs"),
        sa.ForeignKeyConstraint(
            ["task_id"],
            [f"{TASKS}.id"],
            name="fk_scheduled_task_runs_task_id_scheduled_tasks",
            ondelete="CASCADE",
        ),
        _check(RUNS, "outcome", "outcome IN ('done', 'failed', 'skipped')"),
    )
    slot, still_open = ["task_id", "scheduled_for"], sa.text("outcome IS NULL")
    op.create_index("uq_scheduled_task_runs_slot", RUNS, slot, unique=True)
    op.create_index("ix_scheduled_task_runs_open", RUNS, ["id"], postgresql_where=still_open)
    changed = "UPDATE (finished_at, outcome, reason, total, done, failed)"
    allow(RUNS, "SELECT", "INSERT", changed, "DELETE")
    seen_when(RUNS, f"{SEES_ALL} OR EXISTS ({TASK})")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
