"""Sealed care notes, consents, the state of processing, proofs of erasure, and retention.

Care notes that lie in clear stay readable: the hub seals them at its next start and once a day,
as only it has the keys. Going back would lose sealed ones, and so is refused while there are any.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from student_hub.migrations.protection import (
    allow,
    allow_function,
    seen_by_all_seeing,
    seen_with_student,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REFUSE_TO_LOSE = """
DO $$ BEGIN
    SET LOCAL hub.sees = 'all';
    IF EXISTS (SELECT FROM students WHERE care IS NOT NULL) THEN
        RAISE EXCEPTION 'sealed care notes would be lost'
            USING HINT = 'UPDATE students SET care = NULL first, if they may be';
    END IF;
END $$
"""

# Whole partitions whose month had ended by then, and what DEFAULT and the keys have of that time.
DROP_BEFORE = """
CREATE FUNCTION learning_history_drop_before(cutoff date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    seen text := coalesce(current_setting('hub.sees', true), '');
    opens date := date_trunc('month', cutoff::timestamp);
    until timestamptz := opens::timestamp AT TIME ZONE 'UTC';
    part text;
BEGIN
    IF cutoff > now() - interval '1 day' THEN
        RAISE EXCEPTION 'the history of today is not dropped'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('learning_history_make_partition'));
    FOR part IN
        SELECT child.relname
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'learning_history'::regclass
            AND child.relname ~ '^learning_history_[0-9]{4}_[0-9]{2}$'
            AND to_date(right(child.relname, 7), 'YYYY_MM') < opens
        ORDER BY 1
    LOOP
        -- Its foreign key's triggers are on students, which come first as with every writer.
        LOCK TABLE students, learning_history IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('DROP TABLE %I', part);
        RETURN NEXT part;
    END LOOP;
    DELETE FROM learning_history_default WHERE occurred_at < until;
    -- Said inside, and unsaid: only a superuser may hang a setting of our own on a function.
    PERFORM set_config('hub.sees', 'all', true);
    DELETE FROM event_keys WHERE occurred_at < until;
    PERFORM set_config('hub.sees', seen, true);
END $$
"""


def upgrade() -> None:
    op.add_column("students", sa.Column("care", sa.LargeBinary()))
    op.create_index(
        "ix_students_clear_care",
        "students",
        ["id"],
        postgresql_where=sa.text("metadata ? 'special_needs'"),
    )
    _consents()
    _processing()
    _erasures()
    op.create_index("ix_event_keys_occurred_at", "event_keys", ["occurred_at"])
    op.execute(DROP_BEFORE)
    allow_function("learning_history_drop_before(date)")


def downgrade() -> None:
    op.execute(REFUSE_TO_LOSE)
    op.execute("DROP FUNCTION learning_history_drop_before(date)")
    op.drop_index("ix_event_keys_occurred_at", "event_keys")
    for table in ("erasures", "student_processing", "consents"):
        op.drop_table(table)
    op.drop_index("ix_students_clear_care", "students")
    op.drop_column("students", "care")


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(50), nullable=False),
        sa.Column("version", sa.String(50), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("given_by_relation", sa.String(20), nullable=False),
        _instant("given_at", nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        _instant("withdrawn_at"),
        sa.Column("withdrawn_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        _student_key("consents"),
    )
    op.create_index("ix_consents_student_id", "consents", ["student_id"])
    op.create_index(
        "uq_consents_valid",
        "consents",
        ["student_id", "purpose", "version", "given_by_relation"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    allow("consents", "SELECT", "INSERT", "UPDATE (withdrawn_at, withdrawn_by)")
    seen_with_student("consents")


def _processing() -> None:
    op.create_table(
        "student_processing",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        _instant("since", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name="pk_student_processing"),
        _student_key("student_processing"),
        sa.CheckConstraint(
            "state IN ('open', 'stopped')", name=op.f("ck_student_processing_state")
        ),
    )
    allow("student_processing", "SELECT", "INSERT", "UPDATE (state, since, by, reason)")
    seen_with_student("student_processing")


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        # No foreign key: the student is gone.
        sa.Column("student_id", sa.Uuid(), nullable=False),
        _instant("erased_at", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("key_destroyed", sa.String(16), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key_id", sa.String(16), nullable=False),
        sa.Column("nodes", postgresql.JSONB(), nullable=False),
        _instant("cache_emptied_at"),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_student_id", "erasures", ["student_id"])
    op.create_index("ix_erasures_erased_at", "erasures", ["erased_at", "id"])
    allow(
        "erasures",
        "SELECT",
        "INSERT",
        "UPDATE (seal, seal_key_id, nodes, cache_emptied_at)",
    )
    seen_by_all_seeing("erasures")


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _student_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["student_id"],
        ["students.id"],
        name=f"fk_{table}_student_id_students",
        ondelete="CASCADE",
    )
