"""Row-level security of the whole schema, tables of later revisions included."""

from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from factories import a_student, event
from student_hub.history.service import History
from student_hub.platform.db.database import Database
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("row-level-security")

OF_STUDENTS = """
    SELECT relname, relrowsecurity AND relforcerowsecurity AS closed,
        EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AS has_policy
    FROM information_schema.columns
    JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(table_name))
    WHERE table_schema = current_schema() AND NOT relispartition
        AND (column_name = 'student_id' OR table_name = 'students' AND column_name = 'id')
    ORDER BY relname
"""
TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
        AND NOT relispartition
"""
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhrelid"
NEEDED = """
    SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND attnotnull AND NOT atthasdef
        AND attidentity = '' AND NOT attisdropped
"""
CHECKS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype = 'c' AND coninhcount = 0 AND conrelid <> 0
        AND connamespace = current_schema()::regnamespace
"""
SAMPLES = {
    "double precision": "1",
    "uuid": "gen_random_uuid()",
    "timestamp with time zone": "now()",
    "boolean": "false",
}
SAMPLES |= {"bytea": "'\\x00'", "jsonb": "'{}'", "date": "current_date"}
SAMPLES |= dict.fromkeys(("smallint", "integer", "bigint"), "1")
DELETED = {
    *("students", "learning_history", "jobs", "scheduled_task_runs"),
    *("notices", "notification_preferences"),
}
"""What the hub may delete rows of itself; what hangs on a student goes by the foreign key."""


async def planted(owner: asyncpg.Connection, table: str, student_id: UUID) -> None:
    """Puts a row of that student into the table, whatever else the table wants."""
    values = {"student_id": f"'{student_id}'"}
    for name, kind in await owner.fetch(NEEDED, table):
        sample = "'{}'" if kind.endswith("[]") else SAMPLES.get(kind, "'x'")
        values.setdefault(name, sample)
    columns, row = ", ".join(f'"{name}"' for name in values), ", ".join(values.values())
    await owner.execute(f"INSERT INTO {table} ({columns}) VALUES ({row}) ON CONFLICT DO NOTHING")  # noqa: S608 (the schema's own names)


@pytest.fixture
async def without_checks(owner: asyncpg.Connection) -> None:
    """Only the owner can be so careless: constraints and triggers stand aside."""
    await owner.execute("SET session_replication_role = replica")
    for table, name in await owner.fetch(CHECKS):
        await owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


async def test_every_table_that_names_a_student_has_a_policy(owner: asyncpg.Connection) -> None:
    """Also for the owner, and also a table that is made tomorrow."""
    tables = await owner.fetch(OF_STUDENTS)
    assert {"students", "student_keys", "learning_history", "grants"} <= {
        t["relname"] for t in tables
    }
    assert [t["relname"] for t in tables if not (t["closed"] and t["has_policy"])] == []


@pytest.mark.usefixtures("without_checks")
async def test_who_says_nothing_sees_no_row_that_names_a_student(
    students: Students, owner: asyncpg.Connection, database_url: str
) -> None:
    """Of every such table: the owner finds a row, a session as the hub's role none."""
    student = await a_student(students)
    hub = await asyncpg.connect(database_url, server_settings={"role": HUB_ROLE})
    for table, *_ in await owner.fetch(OF_STUDENTS):
        if table != "students":
            await planted(owner, table, student.id)
        count = f"SELECT count(*) FROM {table}"  # noqa: S608 (the schema's own names)
        assert await owner.fetchval(count) > 0, table
        assert await hub.fetchval(count) == 0, table
    await hub.close()


async def test_no_table_is_open_beyond_reading_and_writing_rows(owner: asyncpg.Connection) -> None:
    """No TRUNCATE, which asks no policy, no DDL, and rows deleted of a few tables alone."""
    for table, *_ in await owner.fetch(TABLES):
        for right in ("TRUNCATE", "REFERENCES", "TRIGGER"):
            may = "SELECT has_table_privilege($1, $2, $3)"
            assert not await owner.fetchval(may, HUB_ROLE, table, right), (table, right)
    tables = [row[0] for row in await owner.fetch(TABLES)]
    may_delete = "SELECT has_table_privilege($1, $2, 'DELETE')"
    deleted = {table for table in tables if await owner.fetchval(may_delete, HUB_ROLE, table)}
    assert deleted == DELETED
    assert not await owner.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", HUB_ROLE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE learning_history SET content = '{}'",
        "DELETE FROM event_keys",
        "UPDATE event_keys SET student_id = gen_random_uuid()",
        "DELETE FROM student_keys",
        "DELETE FROM student_generations",
        "UPDATE api_keys SET role = 'admin'",
        "UPDATE api_keys SET scopes = '{admin}'",
        "DELETE FROM api_keys",
        "UPDATE grants SET subject = 'me'",
        "DELETE FROM grants",
        "TRUNCATE students CASCADE",
        "ALTER TABLE students DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE students NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY seen ON students",
        "CREATE TABLE mine (id int)",
        "SELECT * FROM alembic_version",
    ],
)
async def test_what_the_hub_has_no_use_for_is_refused(database: Database, statement: str) -> None:
    """Even to a transaction that sees every student."""
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with database.transaction(SYSTEM) as tx:
            await tx.session.execute(text(statement))


async def test_no_partition_is_reached_but_through_its_parent(
    students: Students, history: History, owner: asyncpg.Connection, database: Database
) -> None:
    """Old and new ones alike: a partition does not ask its parent's policy."""
    student = await a_student(students)
    await history.record(SYSTEM, [event(student.id)])
    await history.make_partitions()
    parts = [row[0] for row in await owner.fetch(PARTITIONS + " WHERE relkind = 'r'")]
    assert len(parts) > 3
    closed = "SELECT bool_and(relrowsecurity) FROM pg_class WHERE relname = ANY($1)"
    assert await owner.fetchval(closed, parts)
    for part in parts:
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.transaction(SYSTEM) as tx:
                await tx.session.execute(text(f"SELECT * FROM {part}"))  # noqa: S608 (see above)


async def test_only_the_hub_may_have_partitions_made(owner: asyncpg.Connection) -> None:
    """What runs as the owner is open to nobody else, and finds no name in a stranger's schema."""
    definers = await owner.fetch(
        "SELECT oid::regprocedure::text, proconfig, proacl::text FROM pg_proc "
        "WHERE prosecdef AND pronamespace = current_schema()::regnamespace"
    )
    assert len(definers) >= 2
    for name, settings, granted in definers:
        assert any(s.startswith("search_path=") and s.endswith("pg_temp") for s in settings), name
        assert "{=X" not in granted, name
        assert ",=X" not in granted, name
