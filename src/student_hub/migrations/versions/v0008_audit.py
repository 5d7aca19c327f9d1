"""The audit log: what arrived, what is sealed, and the seals."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds them."""


def downgrade() -> None:
    """Takes them away."""
