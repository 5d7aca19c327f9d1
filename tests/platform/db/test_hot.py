"""Reads past the ORM: the same rows for the same callers, and no connection left in a bad state."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Select, Uuid, bindparam, column, func, literal_column, select, table

from factories import a_grant, a_student, scalar
from silence import line_to
from student_hub.platform.db.database import REQUEST, Database, DatabaseAway
from student_hub.platform.db.hot import HotQuery, HotRow
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("transactions")
STUDENTS = table("students", column("id", Uuid()), column("grade"))
GRADE = HotQuery(
    select(STUDENTS.c.id, STUDENTS.c.grade).where(STUDENTS.c.id == bindparam("id", type_=Uuid()))
)
SLEEP: Select[tuple[object]] = select(func.pg_sleep(literal_column("60")).label("slept"))
SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""
TEACHER = Caller("kim", frozenset({Scope.READ}), Role.TEACHER, frozenset())
BRIEF = replace(REQUEST, connect_s=0.5, statement_s=0.3, silence_s=0.2)


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Database]:
    """A database with a single connection, which is given up soon."""
    database = Database(database_url, pool_size=1, deadlines=BRIEF)
    yield database
    await database.close()


async def found(
    database: Database, query: HotQuery, caller: Caller | None = None, **values: object
) -> HotRow:
    row = await database.fetch_row(caller, query, **values)
    assert row is not None
    return row


@pytest.mark.requirement("row-level-security")
async def test_a_hot_read_sees_whom_its_caller_may_see(
    one: Database, students: Students, owner: asyncpg.Connection
) -> None:
    """Nobody without a caller, grants by grants, and all; on one connection in turn."""
    student = await a_student(students, grade=10)
    assert await one.fetch_row(None, GRADE, id=student.id) is None
    assert (await found(one, GRADE, SYSTEM, id=student.id)).grade == 10
    assert await one.fetch_row(TEACHER, GRADE, id=student.id) is None
    await a_grant(owner, "kim", "student", student_id=student.id)
    assert (await found(one, GRADE, TEACHER, id=student.id)).id == student.id
    assert await one.fetch_row(None, GRADE, id=student.id) is None
    async with one.transaction() as tx:
        with pytest.raises(StudentNotFound):
            await students.require(tx, student.id)


async def test_a_glance_is_the_same_by_either_way(database: Database, students: Students) -> None:
    """What profiles read at once is what an operation reads in a transaction."""
    metadata = {"learning_style": "visual", "interests": ["기하"], "special_needs": ["큰 글씨"]}
    student = await a_student(students, email="a@example.kr", metadata=metadata)
    async with database.transaction(SYSTEM) as tx:
        glance = await students.glance(tx, student.id)
    assert await students.recall(SYSTEM, student.id) == glance
    assert glance.student == student
    with pytest.raises(StudentNotFound):
        await students.recall(SYSTEM, uuid4())


async def test_a_hot_read_that_takes_too_long_is_away_and_the_next_one_is_served(
    one: Database,
) -> None:
    """The statement is given up, and nobody finds its transaction."""
    with pytest.raises(DatabaseAway):
        await one.fetch_row(SYSTEM, HotQuery(SLEEP))
    assert await scalar(one, "SELECT 1") == 1


async def test_a_hot_read_that_is_cancelled_leaves_no_connection_behind(
    database_url: str, owner: asyncpg.Connection
) -> None:
    """A client that goes away does not use the pool up."""
    one = Database(database_url, pool_size=1)
    reading = asyncio.create_task(one.fetch_row(SYSTEM, HotQuery(SLEEP)))
    async with asyncio.timeout(10):
        while not await owner.fetchval(SLEEPING):
            assert not reading.done()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await scalar(one, "SELECT 1") == 1
    await one.close()


async def test_a_hot_read_on_a_silent_line_hangs_nobody(database_url: str) -> None:
    """No answer: given up, and served again when the line speaks."""
    async with line_to(database_url) as line, asyncio.timeout(20):
        database = Database(line.url, pool_size=1, deadlines=BRIEF)
        ask = HotQuery(select(literal_column("1").label("one")))
        assert (await found(database, ask)).one == 1
        line.silent = True
        with pytest.raises(DatabaseAway):
            await database.fetch_row(None, ask)
        line.silent = False
        assert (await found(database, ask)).one == 1
        await database.close()


async def test_without_a_connection_a_hot_read_is_away() -> None:
    """As any transaction is."""
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseAway):
        await database.fetch_row(None, GRADE, id=uuid4())
    await database.close()
