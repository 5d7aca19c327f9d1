"""The audit log: what arrived, what is sealed, and the seals."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from student_hub.migrations.protection import allow, allow_function

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("audit_inbox", "audit_log", "audit_seals")
FUNCTIONS = ("audit_clear_inbox(uuid[])", "audit_prune(integer, integer)")

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

# A setting does not protect from the owner, who may drop the triggers; it keeps mistakes out.
KEEPER = "current_setting('hub.audit_keeper', true) IS DISTINCT FROM 'on'"
YOUNG = "now() - interval '365 days'"
UNLESS = {
    "audit_inbox": KEEPER,
    "audit_log": f"{KEEPER} OR OLD.at >= {YOUNG}",
    "audit_seals": f"{KEEPER} OR OLD.sealed_at >= {YOUNG}",
}

# Said inside: only a superuser may hang a setting of our own on a function.
CLEAR_INBOX = """
CREATE FUNCTION audit_clear_inbox(ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = {schema}, pg_temp AS $$
    SELECT set_config('hub.audit_keeper', 'on', true);
    DELETE FROM audit_inbox USING audit_log
    WHERE audit_inbox.id = ANY (ids) AND audit_log.id = audit_inbox.id
        AND (audit_log.at, audit_log.subject, audit_log.role, audit_log.credential,
            audit_log.door, audit_log.address, audit_log.request_id, audit_log.action,
            audit_log.outcome, audit_log.student_ids, audit_log.reason, audit_log.detail)
        IS NOT DISTINCT FROM
            (audit_inbox.at, audit_inbox.subject, audit_inbox.role, audit_inbox.credential,
            audit_inbox.door, audit_inbox.address, audit_inbox.request_id, audit_inbox.action,
            audit_inbox.outcome, audit_inbox.student_ids, audit_inbox.reason, audit_inbox.detail);
    SELECT set_config('hub.audit_keeper', '', true);
$$
"""

PRUNE = """
CREATE FUNCTION audit_prune(keep_days integer, most_seals integer DEFAULT 500) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {schema}, pg_temp AS $$
DECLARE
    since timestamptz := now() - make_interval(days => keep_days);
    kept bigint;
    young bigint;
    gone bigint;
BEGIN
    IF keep_days < 365 THEN
        RAISE EXCEPTION 'the audit log is kept for 365 days or more, not %', keep_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('audit_log'));
    -- The last batch stays whatever its age: the next one is chained to it.
    SELECT min(first_seq) INTO kept FROM audit_seals
    WHERE sealed_at >= since
        OR number >= (SELECT min(number) + most_seals FROM audit_seals)
        OR number = (SELECT max(number) FROM audit_seals);
    -- A batch goes as a whole, when its youngest entry may.
    SELECT min(seq) INTO young FROM audit_log WHERE seq < kept AND at >= since;
    IF young IS NOT NULL THEN
        SELECT first_seq INTO kept FROM audit_seals WHERE young BETWEEN first_seq AND last_seq;
    END IF;
    PERFORM set_config('hub.audit_keeper', 'on', true);
    DELETE FROM audit_log WHERE seq < kept;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM audit_seals WHERE last_seq < kept;
    PERFORM set_config('hub.audit_keeper', '', true);
    RETURN gone;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_inbox", *_entry_columns(), sa.PrimaryKeyConstraint("id", name="pk_audit_inbox")
    )
    _make_log()
    _make_seals()
    op.execute(REFUSE)
    for function, code in zip(FUNCTIONS, (CLEAR_INBOX, PRUNE), strict=True):
        op.execute(code.format(schema=_schema()))
        allow_function(function)
    for table in TABLES:
        _protect(table)
        allow(table, "SELECT", "INSERT")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for function in (*FUNCTIONS, "audit_refuse_change()"):
        op.execute(f"DROP FUNCTION {function}")


def _schema() -> str:
    """The schema of the hub's tables, ready to stand in SQL."""
    return str(op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())")))


def _make_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        *_entry_columns(),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("uq_audit_log_id", "audit_log", ["id"], unique=True)
    op.create_index("ix_audit_log_subject_id", "audit_log", ["subject", "id"])
    op.create_index(
        "ix_audit_log_student_ids", "audit_log", ["student_ids"], postgresql_using="gin"
    )


def _make_seals() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("head_before", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("seal_before", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_before_at", sa.DateTime(timezone=True)),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_seals"),
    )


def _entry_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("student_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
    ]


def _protect(table: str) -> None:
    """ALWAYS, so that a session that plays replica is refused too."""
    events = {
        "update": "BEFORE UPDATE ON {table} FOR EACH STATEMENT",
        "truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
        "delete": f"BEFORE DELETE ON {{table}} FOR EACH ROW WHEN ({UNLESS[table]})",
    }
    for event, when in events.items():
        name = f"{table}_{event}"
        clause = when.format(table=table)
        op.execute(f"CREATE TRIGGER {name} {clause} EXECUTE FUNCTION audit_refuse_change()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
