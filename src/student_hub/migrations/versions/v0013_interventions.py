"""Interventions, the calls that made them, decisions and checks, and abilities to compare."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from student_hub.migrations.protection import allow, seen_with_student

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TYPES = "type IN ('auto', 'teacher_requested')"
STATES = "status IN ('proposed', 'active', 'paused', 'completed', 'cancelled')"
CHANGES = (
    "weak_areas, learning_path, duration_days, marks, progress, tasks, status, version, "
    "last_check, started_at, ends_at, completed_at, overdue_told_at"
)
TABLES = ("intervention_abilities", "intervention_notes", "intervention_calls", "interventions")


def upgrade() -> None:
    _interventions()
    _calls()
    _notes()
    _abilities()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _interventions() -> None:
    op.create_table(
        "interventions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("target_level", sa.Float(), nullable=False),
        sa.Column("duration_days", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("weak_areas", "learning_path")),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("marks", "progress", "tasks")),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_check", JSONB()),
        sa.Column("created_by", sa.Text(), nullable=False),
        _instant("created_at", nullable=False),
        *map(_instant, ("started_at", "ends_at", "completed_at", "overdue_told_at")),
        sa.PrimaryKeyConstraint("id", name="pk_interventions"),
        _of("interventions", "student_id", "students"),
        _check("interventions", "type", TYPES),
        _check("interventions", "status", STATES),
    )
    active = sa.text("status = 'active'")
    op.create_index("ix_interventions_student_id", "interventions", ["student_id"])
    op.create_index("ix_interventions_status", "interventions", ["status"])
    op.create_index("ix_interventions_created_at", "interventions", [sa.text("created_at DESC")])
    op.create_index(
        "ix_interventions_running", "interventions", ["ends_at", "id"], postgresql_where=active
    )
    allow("interventions", "SELECT", "INSERT", f"UPDATE ({CHANGES})")
    seen_with_student("interventions")


def _calls() -> None:
    table = "intervention_calls"
    op.create_table(
        table,
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("call", sa.String(110), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("answer", JSONB(), nullable=False),
        _instant("at", nullable=False),
        sa.PrimaryKeyConstraint("subject", "call", name=f"pk_{table}"),
        _of(table, "intervention_id", "interventions"),
        _of(table, "student_id", "students"),
    )
    op.create_index(f"ix_{table}_intervention_id", table, ["intervention_id"])
    changed = "UPDATE (digest, intervention_id, student_id, answer, at)"
    allow(table, "SELECT", "INSERT", changed)
    seen_with_student(table)


def _notes() -> None:
    table = "intervention_notes"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        _instant("at", nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        _of(table, "intervention_id", "interventions"),
        _of(table, "student_id", "students"),
        _check(table, "kind", "kind IN ('decision', 'check')"),
    )
    op.create_index(f"ix_{table}_intervention_id", table, ["intervention_id", "at"])
    allow(table, "SELECT", "INSERT")
    seen_with_student(table)


def _abilities() -> None:
    table = "intervention_abilities"
    op.create_table(
        table,
        sa.Column("intervention_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.String(5), nullable=False),
        sa.Column("treated", sa.Boolean(), nullable=False),
        sa.Column("ability", sa.Float(), nullable=False),
        _instant("at", nullable=False),
        sa.PrimaryKeyConstraint("intervention_id", "student_id", "phase", name=f"pk_{table}"),
        _of(table, "intervention_id", "interventions"),
        _of(table, "student_id", "students"),
        _check(table, "phase", "phase IN ('start', 'end')"),
    )
    op.create_index(f"ix_{table}_student_id", table, ["student_id"])
    allow(table, "SELECT", "INSERT")
    seen_with_student(table)


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
