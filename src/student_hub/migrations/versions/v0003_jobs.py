"""The job ledger."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("unique_key", sa.String()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _instant("not_before", server_default=sa.func.now(), nullable=False),
        _instant("leased_until"),
        _instant("finished_at"),
        sa.Column("failed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_error", sa.String()),
        _instant("created_at", server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("unique_key", name="uq_jobs_unique_key"),
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["queue", "not_before", "id"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("jobs")


def _instant(
    name: str, *, server_default: sa.FunctionElement[datetime] | None = None, nullable: bool = True
) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=server_default, nullable=nullable
    )
