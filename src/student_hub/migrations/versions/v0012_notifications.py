"""Notices, the messages that came of them, addresses that refuse, and readers' preferences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from student_hub.migrations.protection import (
    SEES_ALL,
    allow,
    seen_by_all_seeing,
    seen_when,
    seen_with_student,
)

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SUBJECT = "nullif(current_setting('hub.subject', true), '')"
STATES = "state IN ('pending', 'sending', 'sent', 'failed', 'dead', 'unknown', 'held')"
CHANGES = "state, reason, tries, provider_id, due_at, sent_at, read_at"
OF_PREFERENCES = "language, channels, quiet_hours, bad, sealed, wrapped, key_id, updated_at"


def upgrade() -> None:
    _notices()
    _notifications()
    _bad_addresses()
    _preferences()


def downgrade() -> None:
    for table in ("notification_preferences", "bad_addresses", "notifications", "notices"):
        op.drop_table(table)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(200), nullable=False),
        sa.Column("template", sa.String(50), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.String(20)), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        _instant("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        _student_key("notices"),
    )
    op.create_index("uq_notices_event", "notices", ["event", "template"], unique=True)
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    op.create_index("ix_notices_student_id", "notices", ["student_id"])
    allow("notices", "SELECT", "INSERT", "DELETE")
    # Whoever may see a student may have something told about them.
    seen_with_student("notices")


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("reader", sa.String(20), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("subject", sa.String(320)),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(50)),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("provider_id", sa.String(200)),
        _instant("created_at", nullable=False),
        _instant("due_at", nullable=False),
        _instant("sent_at"),
        _instant("read_at"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["notices.id"],
            name="fk_notifications_notice_id_notices",
            ondelete="CASCADE",
        ),
        _student_key("notifications"),
        sa.CheckConstraint(STATES, name=op.f("ck_notifications_state")),
    )
    once = ["notice_id", "recipient", "channel"]
    op.create_index("uq_notifications_once", "notifications", once, unique=True)
    op.create_index("ix_notifications_student_id", "notifications", ["student_id", "id"])
    op.create_index("ix_notifications_recipient", "notifications", ["recipient", "channel", "id"])
    op.create_index(
        "ix_notifications_open",
        "notifications",
        ["id"],
        postgresql_where=sa.text("state NOT IN ('sent', 'held')"),
    )
    allow("notifications", "SELECT", "INSERT", f"UPDATE ({CHANGES})")
    # A reader sees what is theirs, and that only while they see its student.
    student = "SELECT FROM students WHERE students.id = notifications.student_id"
    seen_when("notifications", f"{SEES_ALL} OR (subject = {SUBJECT} AND EXISTS ({student}))")


def _bad_addresses() -> None:
    op.create_table(
        "bad_addresses",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(50), nullable=False),
        _instant("marked_at", nullable=False),
        sa.PrimaryKeyConstraint("student_id", "fingerprint", name="pk_bad_addresses"),
        _student_key("bad_addresses"),
    )
    allow("bad_addresses", "SELECT", "INSERT")
    seen_by_all_seeing("bad_addresses")


def _preferences() -> None:
    op.create_table(
        "notification_preferences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(320), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("channels", postgresql.JSONB(), nullable=False),
        sa.Column("quiet_hours", sa.String(80)),
        sa.Column("bad", postgresql.ARRAY(sa.String(20)), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        _instant("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notification_preferences"),
        sa.UniqueConstraint("subject", name="uq_notification_preferences_subject"),
    )
    allow("notification_preferences", "SELECT", "INSERT", "DELETE", f"UPDATE ({OF_PREFERENCES})")
    seen_when("notification_preferences", f"{SEES_ALL} OR subject = {SUBJECT}")


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _student_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["student_id"],
        ["students.id"],
        name=f"fk_{table}_student_id_students",
        ondelete="CASCADE",
    )
