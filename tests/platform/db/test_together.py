"""Rows that many want at once: read by few queries, each for who may see it, and never too old."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import ARRAY, Uuid, any_, bindparam, column, select, table

from factories import a_grant, a_student
from student_hub.platform.db.database import Database, DatabaseAway
from student_hub.platform.db.hot import HotQuery, HotRow
from student_hub.platform.db.together import LINES, Together
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("transactions")
STUDENTS = table("students", column("id", Uuid()), column("grade"))
IDS = bindparam("ids", type_=ARRAY(Uuid()))
GRADES = HotQuery(select(STUDENTS.c.id, STUDENTS.c.grade).where(STUDENTS.c.id == any_(IDS)))
TEACHER = Caller("kim", frozenset({Scope.READ}), Role.TEACHER, frozenset())


class Counting(Database):
    """Counts the queries, and those under way; holds them while the gate is shut."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[list[UUID]] = []
        self.under_way = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch_rows(
        self, caller: Caller | None, query: HotQuery, **values: Any
    ) -> list[HotRow]:
        self.asked.append(values["ids"])
        self.under_way += 1
        try:
            await self.gate.wait()
            return await super().fetch_rows(caller, query, **values)
        finally:
            self.under_way -= 1


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[Counting]:
    database = Counting(database_url)
    yield database
    await database.close()


async def test_what_is_wanted_at_once_is_read_by_one_query(
    counting: Counting, students: Students
) -> None:
    """Each has their own row; who does not exist is none."""
    known = [(await a_student(students, grade=grade)).id for grade in (3, 5, 7)]
    together = Together(GRADES)
    wanted = [*known, uuid4(), known[0]]
    rows = await asyncio.gather(*(together.row(counting, SYSTEM, each) for each in wanted))
    assert [row and row.grade for row in rows] == [3, 5, 7, None, 3]
    assert [len(ids) for ids in counting.asked] == [4]


@pytest.mark.requirement("row-level-security")
async def test_who_sees_other_students_is_not_read_for_together(
    counting: Counting, students: Students, owner: asyncpg.Connection
) -> None:
    """The administrator, a teacher with a grant for one, and nobody."""
    one, other = [(await a_student(students)).id for _ in range(2)]
    await a_grant(owner, "kim", "student", student_id=one)
    together = Together(GRADES)
    callers = [SYSTEM, TEACHER, None]
    asked = [together.row(counting, caller, each) for caller in callers for each in (one, other)]
    rows = await asyncio.gather(*asked)
    assert [row is not None for row in rows] == [True, True, True, False, False, False]
    assert len(counting.asked) == 3


async def test_who_comes_after_a_query_was_sent_waits_for_the_next(
    counting: Counting, students: Students
) -> None:
    """Four are under way at the most; all who wait then go together, and see what is there then."""
    student = (await a_student(students, grade=3)).id
    together = Together(GRADES)
    counting.gate.clear()
    asked = []
    for number in range(LINES + 20):
        asked.append(asyncio.create_task(together.row(counting, SYSTEM, student)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert counting.under_way == min(number + 1, LINES)
    counting.gate.set()
    assert all(row is not None for row in await asyncio.gather(*asked))
    assert len(counting.asked) == LINES + 1


async def test_who_goes_away_takes_nothing_from_the_others(
    counting: Counting, students: Students
) -> None:
    """The first leaves while the query is under way."""
    student = (await a_student(students, grade=3)).id
    together = Together(GRADES)
    counting.gate.clear()
    first, second = [asyncio.create_task(together.row(counting, SYSTEM, student)) for _ in range(2)]
    while not counting.under_way:  # noqa: ASYNC110 (the loop's own turn is waited for)
        await asyncio.sleep(0)
    first.cancel()
    counting.gate.set()
    row = await second
    assert row is not None
    assert first.cancelled()


async def test_a_failure_is_everybodys_and_not_the_next_ones(
    counting: Counting, students: Students
) -> None:
    """All who went together are told that the database is away; who asks again is served."""
    student = (await a_student(students, grade=3)).id
    together = Together(GRADES)
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
    asked = (together.row(nowhere, SYSTEM, student) for _ in range(3))
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in failures] == [DatabaseAway] * 3
    assert (await together.row(counting, SYSTEM, student)) is not None
    await nowhere.close()


async def test_more_than_a_query_takes_are_read_by_several(
    counting: Counting, students: Students
) -> None:
    """256 at a time."""
    student = (await a_student(students, grade=3)).id
    together = Together(GRADES)
    wanted = [*(uuid4() for _ in range(300)), student]
    rows = await asyncio.gather(*(together.row(counting, SYSTEM, each) for each in wanted))
    assert [row is not None for row in rows] == [False] * 300 + [True]
    assert sorted(map(len, counting.asked)) == [45, 256]
