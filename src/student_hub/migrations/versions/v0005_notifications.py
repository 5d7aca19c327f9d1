"""Every change of a student's generation or of an API key is told to who listens.

The notification is part of the commit: it comes exactly when the change does, whoever made it.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = {
    "student_generations": ("student_id", "student_touched"),
    "api_keys": ("id", "api_key_changed"),
}
TRANSITIONS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    for table, (column, channel) in TABLES.items():
        op.execute(
            f"CREATE FUNCTION tell_{channel}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"PERFORM pg_notify('{channel}', {column}::text) FROM changed; RETURN NULL; END $$"
        )
        for event, transition in TRANSITIONS.items():
            op.execute(
                f"CREATE TRIGGER tell_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {transition} TABLE AS changed "
                f"FOR EACH STATEMENT EXECUTE FUNCTION tell_{channel}()"
            )


def downgrade() -> None:
    for table, (_column, channel) in TABLES.items():
        for event in TRANSITIONS:
            op.execute(f"DROP TRIGGER tell_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION tell_{channel}()")
