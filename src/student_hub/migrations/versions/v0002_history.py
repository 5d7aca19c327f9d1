"""The learning history in monthly partitions, event keys, and import checkpoints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MAKE_PARTITION = """
CREATE FUNCTION learning_history_make_partition(month date) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opens timestamp := date_trunc('month', month::timestamp);
    since timestamptz := opens AT TIME ZONE 'UTC';
    until timestamptz := (opens + interval '1 month') AT TIME ZONE 'UTC';
    part text := 'learning_history_' || to_char(month, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('learning_history_make_partition'));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    -- Writers of the history wait: one that had chosen DEFAULT meanwhile would fail (23514).
    -- Students come first as with every writer; the foreign key of the new part locks them anyway.
    LOCK TABLE students, learning_history IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE learning_history INCLUDING ALL)', part);
    EXECUTE format(
        'WITH moved AS (DELETE FROM learning_history_default '
        'WHERE occurred_at >= %L AND occurred_at < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', since, until, part);
    EXECUTE format(
        'ALTER TABLE learning_history ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, since, until);
    RETURN part;
END $$
"""

MAKE_PARTITIONS = """
CREATE FUNCTION learning_history_make_partitions(ahead integer DEFAULT 3) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    -- Before DEFAULT is read: two who had read it would wait for each other to attach.
    PERFORM pg_advisory_xact_lock(hashtext('learning_history_make_partition'));
    RETURN QUERY
    SELECT made
    FROM (
        SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date
        FROM generate_series(0, ahead) AS n
        UNION
        SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date
        FROM learning_history_default
        ORDER BY 1
    ) AS months(month), learning_history_make_partition(month) AS made
    WHERE made IS NOT NULL;
END $$
"""


def upgrade() -> None:
    _history()
    _event_keys()
    _imports()
    op.execute(MAKE_PARTITION)
    op.execute(MAKE_PARTITIONS)


def downgrade() -> None:
    op.execute("DROP FUNCTION learning_history_make_partitions(integer)")
    op.execute("DROP FUNCTION learning_history_make_partition(date)")
    op.drop_table("imports")
    op.drop_table("event_keys")
    op.drop_table("learning_history")
    op.execute("DROP SEQUENCE learning_history_id_seq")


def _history() -> None:
    op.execute("CREATE SEQUENCE learning_history_id_seq")
    op.create_table(
        "learning_history",
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("nextval('learning_history_id_seq')"),
            nullable=False,
        ),
        _student_column(),
        sa.Column("event_type", sa.String(20), nullable=False),
        sa.Column("source_node", sa.SmallInteger(), nullable=False),
        sa.Column("source_id", sa.String(200), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", "occurred_at", name="pk_learning_history"),
        _student_key("learning_history"),
        sa.CheckConstraint(
            "event_type IN ('study', 'test', 'intervention')",
            name=op.f("ck_learning_history_event_type"),
        ),
        sa.CheckConstraint("source_node >= 0", name=op.f("ck_learning_history_source_node")),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_learning_history_student",
        "learning_history",
        ["student_id", sa.text("occurred_at DESC")],
    )
    op.create_index("ix_learning_history_event_type", "learning_history", ["event_type"])
    op.execute("CREATE TABLE learning_history_default PARTITION OF learning_history DEFAULT")


def _event_keys() -> None:
    op.create_table(
        "event_keys",
        sa.Column("source_node", sa.SmallInteger(), nullable=False),
        sa.Column("source_id", sa.String(200), nullable=False),
        _student_column(),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True)),
        sa.Column("voided_by", sa.String(200)),
        sa.Column("voided_event", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("source_node", "source_id", name="pk_event_keys"),
        _student_key("event_keys"),
    )
    op.create_index("ix_event_keys_student_id", "event_keys", ["student_id"])


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_imports"),
    )


def _student_column() -> sa.Column[object]:
    return sa.Column("student_id", sa.Uuid(), nullable=False)


def _student_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["student_id"],
        ["students.id"],
        name=f"fk_{table}_student_id_students",
        ondelete="CASCADE",
    )
