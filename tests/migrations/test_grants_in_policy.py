"""Whom a grant covers, as the policies of PostgreSQL see it."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from factories import a_grant, a_student
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.schemas import Student, StudentPatch
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("row-level-security")
OWN = {"school_id": "SCH001", "grade": 10, "class_name": "1반"}
ELSEWHERE = {
    "class": {**OWN, "class_name": "2반"},
    "grade": {**OWN, "grade": 11},
    "school": {**OWN, "school_id": "SCH002"},
}


@pytest.fixture
async def pupils(students: Students) -> dict[str, Student]:
    """One student of the class, and one each of another class, grade and school."""
    places = {"own": OWN, **ELSEWHERE}
    return {name: await a_student(students, **place) for name, place in places.items()}


async def both_ways(database: Database, subject: str) -> set[UUID]:
    """Whom the subject sees: by the policy, and by the list that indexes serve; they agree."""
    caller = Caller(subject, frozenset({Scope.READ}), Role.TEACHER, frozenset())
    async with database.transaction(caller) as tx:
        seen = set(await tx.session.scalars(text("SELECT id FROM students")))
        listed = set(await tx.session.scalars(text("SELECT unnest(students_of_subject())")))
    assert seen == listed
    return seen


EVERY_GRANT = [
    ("class", OWN, {"own"}),
    ("grade", {"school_id": "SCH001", "grade": 10}, {"own", "class"}),
    ("school", {"school_id": "SCH001"}, {"own", "class", "grade"}),
    ("school", {"school_id": "SCH002"}, {"school"}),
    ("school", {"school_id": "SCH00"}, set()),
    ("class", {**OWN, "class_name": "반"}, set()),
]


@pytest.mark.parametrize(("kind", "place", "names"), EVERY_GRANT)
async def test_a_grant_covers_its_place_and_nothing_else(
    pupils: dict[str, Student],
    database: Database,
    owner: asyncpg.Connection,
    kind: str,
    place: dict[str, object],
    names: set[str],
) -> None:
    """Its own letters alone: a part of a name is another name."""
    await a_grant(owner, "lee", kind, **place)
    assert await both_ways(database, "lee") == {pupils[name].id for name in names}


async def test_a_grant_to_one_student_covers_them_wherever_they_are(
    pupils: dict[str, Student],
    students: Students,
    database: Database,
    owner: asyncpg.Connection,
) -> None:
    """A child moves to another class and is still their parent's."""
    child = pupils["grade"]
    await a_grant(owner, "mother", "student", student_id=child.id)
    await students.update(SYSTEM, child.id, StudentPatch(class_name="9반"))
    assert await both_ways(database, "mother") == {child.id}


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
async def test_a_grant_that_is_over_covers_nobody(
    pupils: dict[str, Student], database: Database, owner: asyncpg.Connection, ended: str
) -> None:
    """Nor does one of another subject."""
    await a_grant(owner, "lee", "school", school_id="SCH001", **{ended: datetime.now(UTC)})
    assert await both_ways(database, "lee") == set()
    await a_grant(owner, "kim", "class", **OWN)
    assert await both_ways(database, "kim") == {pupils["own"].id}


async def test_places_whose_names_run_together_are_not_confused(
    students: Students, database: Database, owner: asyncpg.Connection
) -> None:
    """School S and class 1반 are not school S1 and class 반."""
    one = await a_student(students, school_id="S", class_name="1반")
    other = await a_student(students, school_id="S1", class_name="반")
    await a_grant(owner, "lee", "class", school_id="S", grade=10, class_name="1반")
    await a_grant(owner, "kwon", "class", school_id="S1", grade=10, class_name="반")
    assert await both_ways(database, "lee") == {one.id}
    assert await both_ways(database, "kwon") == {other.id}


async def test_a_subject_sees_their_own_grants_alone(
    pupils: dict[str, Student], database: Database, owner: asyncpg.Connection
) -> None:
    """Who sees whom is personal too."""
    await a_grant(owner, "kim", "class", **OWN)
    await a_grant(owner, "lee", "student", student_id=pupils["own"].id)
    kim = Caller("kim", frozenset({Scope.READ}), Role.TEACHER, frozenset())
    async with database.transaction(kim) as tx:
        assert set(await tx.session.scalars(text("SELECT subject FROM grants"))) == {"kim"}


async def test_making_partitions_opens_the_transaction_no_further(
    students: Students, database: Database
) -> None:
    """It works as the owner for a moment; what the transaction sees stays what it was."""
    await a_student(students)
    async with database.transaction() as tx:
        await tx.session.execute(text("SELECT learning_history_make_partitions(2)"))
        assert await tx.session.scalar(text("SELECT count(*) FROM students")) == 0
