"""Personal data at rest: sealed with a key per student, found by a blind index."""

import unicodedata
from uuid import UUID

import pytest
from sqlalchemy import text

from doorway import an_audit
from factories import a_student, scalar
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.security.sealing import SealBroken
from student_hub.students.schemas import StudentFilter
from student_hub.students.service import Students

SECRETS = ("김철수", "chulsoo@example.kr", "010-1234-5678")


async def execute(database: Database, sql: str, **values: object) -> None:
    async with database.transaction(SYSTEM) as tx:
        await tx.session.execute(text(sql), values)


@pytest.mark.requirement("students-sealed")
async def test_no_personal_value_is_readable_in_any_table(
    students: Students, database: Database
) -> None:
    """The rows of all the room's tables, as text or bytes, hold none of the planted values."""
    await a_student(students, name=SECRETS[0], email=SECRETS[1], parent_contact=SECRETS[2])
    async with database.transaction(SYSTEM) as tx:
        for table in ("students", "student_keys", "student_generations"):
            rows = await tx.session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 (fixed names)
            kept = [value for row in rows for value in row]
            assert kept
            found = b"|".join(v if isinstance(v, bytes) else str(v).encode() for v in kept)
            assert not [secret for secret in SECRETS if secret.encode() in found]


async def two(students: Students) -> tuple[UUID, UUID]:
    one = await a_student(students, name="하나", email="one@example.kr", parent_contact="010-1")
    other = await a_student(students, name="둘", email="two@example.kr", parent_contact="010-2")
    return one.id, other.id


SWAPS = {
    "between rows": "UPDATE students AS s SET name = o.name FROM students AS o "
    "WHERE s.id = :one AND o.id <> s.id",
    "between columns": "UPDATE students SET email = parent_contact WHERE id = :one",
    "between keys": "UPDATE student_keys AS k SET wrapped = o.wrapped FROM student_keys AS o "
    "WHERE k.student_id = :one AND o.student_id <> k.student_id",
    "a flipped byte": "UPDATE students SET name = set_byte(name, 14, 255 - get_byte(name, 14)) "
    "WHERE id = :one",
}


@pytest.mark.requirement("students-sealed")
@pytest.mark.parametrize("swap", SWAPS)
async def test_a_sealed_value_opens_only_where_it_was_sealed(
    students: Students, database: Database, swap: str
) -> None:
    """Whoever can write rows cannot pass one student's values off as another's."""
    one, _ = await two(students)
    await execute(database, SWAPS[swap], one=one)
    with pytest.raises(SealBroken):
        await students.read(SYSTEM, one)


@pytest.mark.requirement("students-sealed")
async def test_another_master_key_opens_nothing(students: Students, database: Database) -> None:
    """The database alone, or with a wrong ENCRYPTION_KEY, tells no name."""
    student = await a_student(students)
    stranger = Students(database, Keyring(bytes(32)), utc_now, an_audit(database))
    with pytest.raises(SealBroken):
        await stranger.read(SYSTEM, student.id)


@pytest.mark.requirement("students-sealed")
async def test_each_student_has_a_key_of_their_own(students: Students, database: Database) -> None:
    """Deleting one key is enough to make one student's values unreadable."""
    await two(students)
    assert await scalar(database, "SELECT count(DISTINCT wrapped) FROM student_keys") == 2


@pytest.mark.requirement("students-search")
@pytest.mark.parametrize(
    "asked",
    ["Kim Chul Soo", "  kim  chul\u3000soo ", "KIM CHUL SOO"],
)
async def test_a_name_is_found_whatever_its_case_and_blanks(students: Students, asked: str) -> None:
    """The index folds case and blanks, and matches whole names only."""
    wanted = await a_student(students, name="Kim Chul Soo")
    await a_student(students, name="Kim Chul")
    found = await students.page(SYSTEM, StudentFilter(name=asked))
    assert found.students == [wanted]


@pytest.mark.requirement("students-search")
async def test_a_name_is_found_in_either_normal_form(students: Students) -> None:
    """A Mac asks in NFD for what a phone had sent in NFC."""
    wanted = await a_student(students, name="김철수")
    asked = unicodedata.normalize("NFD", "김철수")
    assert (await students.page(SYSTEM, StudentFilter(name=asked))).students == [wanted]


@pytest.mark.requirement("students-search")
async def test_the_name_index_is_keyed(students: Students, database: Database) -> None:
    """Without the key nobody can try names against the index: another key gives another index."""
    await a_student(students, name="김철수")
    stranger = Students(database, Keyring(bytes(32)), utc_now, an_audit(database))
    assert (await stranger.page(SYSTEM, StudentFilter(name="김철수"))).students == []


@pytest.mark.requirement("students-sealed")
async def test_a_hub_with_another_master_key_can_tell(
    students: Students, database: Database
) -> None:
    """Before it serves or writes anything, a hub can see that these are not its keys."""
    assert await students.can_be_opened()
    await a_student(students)
    assert await students.can_be_opened()
    stranger = Students(database, Keyring(bytes(32)), utc_now, an_audit(database))
    assert not await stranger.can_be_opened()
