"""Row-level security, and the role that owns nothing.

A transaction says in `hub.sees` whether it sees every student (`all`) or those whom valid grants
of `hub.subject` cover (`granted`); one that says nothing sees none. Tables that hang on a student
ask the policy of `students`.
"""

import sqlalchemy as sa
from alembic import op

from student_hub.migrations.errors import RoleNotMade
from student_hub.migrations.protection import (
    SEES_ALL,
    allow,
    allow_function,
    allow_sequence,
    seen_no_more,
    seen_when,
    seen_with_student,
)
from student_hub.migrations.versions import v0002_history
from student_hub.platform.db.roles import HUB_ROLE

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Roles belong to the whole cluster: another database of it may be at the same point.
MAKE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {HUB_ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
# Whoever makes a role may administer it, but from PostgreSQL 16 on not become it. Who may not
# grant it is let through: the hub itself refuses to start when it cannot become the role.
GRANT_ROLE = f"""
DO $$ BEGIN
    IF NOT pg_has_role('{HUB_ROLE}', CASE
        WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN
        EXECUTE format('GRANT {HUB_ROLE} TO %I', current_user);
    END IF;
EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
GRANT_SCHEMA = f"""
DO $$ BEGIN
    IF NOT has_schema_privilege('{HUB_ROLE}', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO {HUB_ROLE}', current_schema());
    END IF;
END $$
"""

OF_KEYS = (
    "hash",
    "master_key_id",
    "line",
    "replaced_by",
    "last_used_at",
    "expires_at",
    "revoked_at",
)
"""What changes of a key in its life: never whose it is, or what it may do."""
ALLOWED = {
    "students": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "student_keys": ("SELECT", "INSERT", "UPDATE (wrapped, key_id)"),
    "student_generations": ("SELECT", "INSERT", "UPDATE"),
    "learning_history": ("SELECT", "INSERT", "DELETE"),
    "event_keys": ("SELECT", "INSERT", "UPDATE (voided_at, voided_by, voided_event)"),
    "imports": ("SELECT", "INSERT", "UPDATE"),
    "jobs": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "api_keys": (
        "SELECT",
        "INSERT",
        f"UPDATE ({', '.join(OF_KEYS)})",
    ),
    "grants": ("SELECT", "INSERT", "UPDATE (expires_at, revoked_at)"),
}
SEQUENCES = ("learning_history_id_seq", "student_generation_seq", "jobs_id_seq")
OF_STUDENTS = ("student_keys", "student_generations", "learning_history", "event_keys")

SUBJECT = "nullif(current_setting('hub.subject', true), '')"
"""Empty, not NULL, in a session that has said it before."""
VALID = f"""
    current_setting('hub.sees', true) = 'granted' AND grants.subject = {SUBJECT}
    AND grants.revoked_at IS NULL AND (grants.expires_at IS NULL OR grants.expires_at > now())
"""
# What a grant covers and what a student is covered by, as texts that are equal for no two places:
# the length tells where a school's id ends, whatever is in it.
COVERS = """
    CASE kind
        WHEN 'school' THEN 'school ' || school_id
        WHEN 'grade' THEN 'grade ' || grade || ' ' || school_id
        WHEN 'class' THEN
            'class ' || grade || ' ' || char_length(school_id) || ' ' || school_id || class_name
        ELSE 'student ' || student_id
    END
"""
COVERED_BY = """
    ARRAY[
        'school ' || school_id,
        'grade ' || grade || ' ' || school_id,
        'class ' || grade || ' ' || char_length(school_id) || ' ' || school_id || class_name,
        'student ' || id
    ]
"""
# In PL/pgSQL, which plans a query once a session.
REACH = """
CREATE FUNCTION reach_of_subject() RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
    RETURN ARRAY(SELECT {covers} FROM {schema}.grants WHERE {valid});
END $$
"""
# No index can serve "sees all, or is covered": lists of few among many begin with these ids.
# OFFSET 0 keeps the planner to one look-up by index for each grant, whatever it thinks of them.
COVERED = """
CREATE FUNCTION students_of_subject() RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
    RETURN ARRAY(
        SELECT found.id
        FROM (SELECT * FROM {schema}.grants WHERE {valid} OFFSET 0) AS held
        CROSS JOIN LATERAL (
            SELECT id FROM {schema}.students
            WHERE held.kind = 'school' AND students.school_id = held.school_id
            UNION ALL
            SELECT id FROM {schema}.students
            WHERE held.kind = 'grade'
                AND (students.school_id, students.grade) = (held.school_id, held.grade)
            UNION ALL
            SELECT id FROM {schema}.students
            WHERE held.kind = 'class' AND (students.school_id, students.grade, students.class_name)
                = (held.school_id, held.grade, held.class_name)
            UNION ALL
            SELECT held.student_id WHERE held.kind = 'student'
        ) AS found
    );
END $$
"""

# As in 0002, but as the owner, for the hub may make no table; and closed to everybody else.
MAKE_PARTITION = """
CREATE OR REPLACE FUNCTION learning_history_make_partition(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    opens timestamp := date_trunc('month', month::timestamp);
    since timestamptz := opens AT TIME ZONE 'UTC';
    until timestamptz := (opens + interval '1 month') AT TIME ZONE 'UTC';
    part text := 'learning_history_' || to_char(month, 'YYYY_MM');
    seen text := coalesce(current_setting('hub.sees', true), '');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('learning_history_make_partition'));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    -- Writers of the history wait: one that had chosen DEFAULT meanwhile would fail (23514).
    -- Students come first as with every writer; the foreign key of the new part locks them anyway.
    LOCK TABLE students, learning_history IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE learning_history INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, {role}', part);
    EXECUTE format(
        'WITH moved AS (DELETE FROM learning_history_default '
        'WHERE occurred_at >= %L AND occurred_at < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', since, until, part);
    -- The policy binds the owner too, whose foreign key asks for the moved events' students.
    PERFORM set_config('hub.sees', 'all', true);
    EXECUTE format(
        'ALTER TABLE learning_history ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, since, until);
    PERFORM set_config('hub.sees', seen, true);
    RETURN part;
END $$
"""
PARTITIONS = """
    SELECT CAST(CAST(inhrelid AS regclass) AS text) FROM pg_inherits
    WHERE inhparent = CAST('learning_history' AS regclass)
"""
PARTITION_MAKERS = (
    "learning_history_make_partition(date)",
    "learning_history_make_partitions(integer)",
)


def upgrade() -> None:
    schema = _schema()
    _make_role()
    for table, privileges in ALLOWED.items():
        allow(table, *privileges)
    for sequence in SEQUENCES:
        allow_sequence(sequence)
    for function in (REACH, COVERED):
        op.execute(function.format(schema=schema, covers=COVERS, valid=VALID))
    _close_tables()
    _close_partitions(schema)
    _let_gin_be_used("LEAKPROOF")


def downgrade() -> None:
    """The role stays: other databases of the cluster may stand on it, and it may nothing here."""
    _let_gin_be_used("NOT LEAKPROOF")
    op.execute("DROP POLICY own ON grants")
    for table in ("grants", *OF_STUDENTS, "students"):
        seen_no_more(table)
    _open_partitions()
    for function in ("students_of_subject()", "reach_of_subject()"):
        op.execute(f"DROP FUNCTION {function}")
    for kind in ("TABLES", "SEQUENCES"):
        op.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {_schema()} FROM {HUB_ROLE}")
    op.execute(f"REVOKE ALL ON SCHEMA {_schema()} FROM {HUB_ROLE}")


def _schema() -> str:
    """The schema of the hub's tables, ready to stand in SQL."""
    return str(op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())")))


def _make_role() -> None:
    known = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role").bindparams(role=HUB_ROLE)
    may = sa.text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if op.get_bind().scalar(known) is None:
        if not op.get_bind().scalar(may):
            raise RoleNotMade(str(op.get_bind().scalar(sa.text("SELECT current_user"))))
        op.execute(MAKE_ROLE)
    op.execute(GRANT_ROLE)
    op.execute(GRANT_SCHEMA)


def _close_tables() -> None:
    seen_when("students", f"{SEES_ALL} OR {COVERED_BY} && (SELECT reach_of_subject())")
    for table in OF_STUDENTS:
        seen_with_student(table)
    # Whom a subject may see is for itself to see, and for nobody else who does not see all.
    seen_when("grants", SEES_ALL)
    op.execute(f"CREATE POLICY own ON grants FOR SELECT USING (subject = {SUBJECT})")


def _close_partitions(schema: str) -> None:
    op.execute(MAKE_PARTITION.format(schema=schema, role=HUB_ROLE))
    for function in PARTITION_MAKERS:
        op.execute(
            f"ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {schema}, pg_temp"
        )
        allow_function(function)
    # Without a policy of its own: a partition is reached through its parent, or not at all.
    _each_partition("ENABLE ROW LEVEL SECURITY")


def _open_partitions() -> None:
    _each_partition("DISABLE ROW LEVEL SECURITY")
    op.execute(v0002_history.MAKE_PARTITION.replace("CREATE", "CREATE OR REPLACE", 1))
    for function in PARTITION_MAKERS:
        op.execute(f"ALTER FUNCTION {function} SECURITY INVOKER RESET search_path")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM {HUB_ROLE}")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")


def _each_partition(action: str) -> None:
    for part in op.get_bind().scalars(sa.text(PARTITIONS)).all():
        op.execute(f"ALTER TABLE {part} {action}")


def _let_gin_be_used(leakproof: str) -> None:
    """Lets `metadata @>` find its index below a policy, where the owner may say so.

    It says nothing of its arguments but its answer. Elsewhere such a query reads the whole table,
    unless a superuser runs this one statement in the hub's database.
    """
    superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if op.get_bind().scalar(sa.text(superuser)):
        op.execute(f"ALTER FUNCTION pg_catalog.jsonb_contains(jsonb, jsonb) {leakproof}")
