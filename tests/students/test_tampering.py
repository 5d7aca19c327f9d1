"""Whoever can write rows can pass nothing off: a sealed value in any other place is refused."""

from itertools import permutations
from uuid import UUID

import asyncpg
import pytest

from factories import a_student
from rotating import AFTER, BEFORE, ROTATED, hub
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.sealing import SealBroken
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("students-sealed")
SEALED = ("name", "email", "parent_contact", "care")
FULL = {
    "email": "a@example.kr",
    "parent_contact": "010-1",
    "metadata": {"special_needs": ["천식"]},
}


async def refused(students: Students, student_id: UUID) -> bool:
    try:
        await students.read(SYSTEM, student_id)
    except SealBroken:
        return True
    return False


async def undone(owner: asyncpg.Connection, students: Students, sql: str, *ids: UUID) -> list[bool]:
    """Whether each of the students is refused while the change stands; it is taken back then."""
    await owner.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM students")
    await owner.execute("CREATE TABLE IF NOT EXISTS kept_keys AS SELECT * FROM student_keys")
    await owner.execute(sql)
    answers = [await refused(students, student_id) for student_id in ids]
    columns = ", ".join(f"{name} = kept.{name}" for name in SEALED)
    await owner.execute(f"UPDATE students SET {columns} FROM kept WHERE students.id = kept.id")  # noqa: S608 (fixed names)
    await owner.execute(
        "UPDATE student_keys SET wrapped = k.wrapped, key_id = k.key_id FROM kept_keys AS k "
        "WHERE student_keys.student_id = k.student_id"
    )
    assert not [True for student_id in ids if await refused(students, student_id)]
    return answers


async def test_every_swap_between_rows_and_fields_is_refused(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Each sealed column put into each other one, and into the same one of another student."""
    students = hub(database, BEFORE)
    one, two = (await a_student(students, **FULL)).id, (await a_student(students, **FULL)).id
    swaps = [f"UPDATE students SET {a} = {b}" for a, b in permutations(SEALED, 2)]  # noqa: S608 (fixed names)
    swaps += [
        f"UPDATE students AS s SET {name} = o.{name} FROM students AS o WHERE s.id <> o.id"  # noqa: S608 (fixed names)
        for name in SEALED
    ]
    swaps.append(
        "UPDATE student_keys AS k SET wrapped = o.wrapped FROM student_keys AS o "
        "WHERE k.student_id <> o.student_id"
    )
    answers = [answer for sql in swaps for answer in await undone(owner, students, sql, one, two)]
    assert (len(answers), all(answers)) == (2 * (12 + 4 + 1), True)


async def test_every_flipped_bit_is_refused(database: Database, owner: asyncpg.Connection) -> None:
    """One bit in each byte of each sealed value: nonce, text and tag alike."""
    students = hub(database, BEFORE)
    student = (await a_student(students, **FULL)).id
    flips = 0
    for table, column in [*(("students", name) for name in SEALED), ("student_keys", "wrapped")]:
        size = await owner.fetchval(f"SELECT length({column}) FROM {table}")  # noqa: S608 (fixed names)
        for byte in range(size):
            bit = byte * 8 + byte % 8
            flipped = f"set_bit({column}, {bit}, 1 - get_bit({column}, {bit}))"
            sql = f"UPDATE {table} SET {column} = {flipped}"  # noqa: S608 (fixed names)
            assert await undone(owner, students, sql, student) == [True]
            flips += 1
    assert flips > 150


@pytest.mark.requirement("key-rotation")
@pytest.mark.parametrize("key_id", [ROTATED.key_id, "00000000", ""])
async def test_a_wrong_or_unknown_key_id_is_refused(
    database: Database, owner: asyncpg.Connection, key_id: str
) -> None:
    """The id says which master key to try; another one opens nothing."""
    students = hub(database, ROTATED)
    student = (await a_student(hub(database, BEFORE), **FULL)).id
    assert not await refused(students, student)
    sql = f"UPDATE student_keys SET key_id = '{key_id}'"  # noqa: S608 (fixed ids)
    assert await undone(owner, students, sql, student) == [True]


@pytest.mark.requirement("key-rotation")
async def test_a_key_that_was_dropped_opens_nothing(database: Database) -> None:
    """Who drops a key too early can tell, and loses nothing: with the key back, all is there."""
    student = await a_student(hub(database, BEFORE), **FULL)
    assert await refused(hub(database, AFTER), student.id)
    assert not await hub(database, AFTER).can_be_opened()
    assert await hub(database, ROTATED).read(SYSTEM, student.id) == student
