"""The ledger knows who runs what, for the how manieth time, and why it last failed.

Every column has a default that needs no rewrite, and the workers of before go on working: they and
the new ones fence each other off by `attempts` as well as by `runs`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ADDED = ("most_attempts", "runs", "started_at", "worker", "last_message")
# A claim changes no indexed column: with room left in its page it costs no new index entry.
# What ends leaves dead entries at the head of ix_jobs_due, where every claim begins.
BUSY = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, "
    "autovacuum_analyze_scale_factor = 0.02"
)


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("most_attempts", sa.Integer(), server_default="12", nullable=False)
    )
    op.add_column("jobs", sa.Column("runs", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("worker", sa.String()))
    op.add_column("jobs", sa.Column("last_message", sa.String()))
    op.create_index("ix_jobs_dead", "jobs", ["id"], postgresql_where=sa.text("failed"))
    op.execute(f"ALTER TABLE jobs SET ({BUSY})")


def downgrade() -> None:
    names = ", ".join(setting.split(" = ")[0] for setting in BUSY.split(", "))
    op.execute(f"ALTER TABLE jobs RESET ({names})")
    op.drop_index("ix_jobs_dead", "jobs")
    for column in reversed(ADDED):
        op.drop_column("jobs", column)
