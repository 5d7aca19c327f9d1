"""What a revision says of each new table: what the hub may do with it, and who sees which rows.

The hub works as a role that owns nothing: a table that says nothing here is closed to it. A table
that holds a `student_id` needs `allow` and one of the `seen_…`; a test walks the schema. What a
function here does must not change once it was released: older revisions call it too.
"""

from alembic import op

from student_hub.platform.db.roles import HUB_ROLE

SEES_ALL = "(SELECT current_setting('hub.sees', true) = 'all')"
"""True in a transaction that sees every student; asked once a query, not once a row."""


def allow(table: str, *privileges: str) -> None:
    """Lets the hub do this with the table and no more, such as `SELECT` or `UPDATE (revoked_at)`.

    Never TRUNCATE, which asks no policy. A column with a serial default needs `allow_sequence`.
    """
    op.execute(f"REVOKE ALL ON {table} FROM PUBLIC, {HUB_ROLE}")
    op.execute(f"GRANT {', '.join(privileges)} ON {table} TO {HUB_ROLE}")


def allow_sequence(sequence: str) -> None:
    """Lets the hub draw numbers."""
    op.execute(f"GRANT USAGE ON SEQUENCE {sequence} TO {HUB_ROLE}")


def allow_function(signature: str) -> None:
    """Lets the hub alone call a function that runs as the owner (SECURITY DEFINER)."""
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {HUB_ROLE}")


def seen_with_student(table: str, column: str = "student_id") -> None:
    """A row is seen, and may be written, by whoever sees its student."""
    # The policy of `students` holds inside of this one.
    student = f"SELECT FROM students WHERE students.id = {table}.{column}"
    seen_when(table, f"{SEES_ALL} OR EXISTS ({student})")


def seen_by_all_seeing(table: str) -> None:
    """A row is seen and written only where every student is."""
    seen_when(table, SEES_ALL)


def seen_when(table: str, condition: str) -> None:
    """A row is seen, and may be written, when the condition holds; the owner is no exception."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen ON {table} USING ({condition}) WITH CHECK ({condition})")


def seen_no_more(table: str) -> None:
    """Undoes any of the `seen_…`."""
    op.execute(f"DROP POLICY seen ON {table}")
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
