"""Care notes: health information, sealed like a name and withheld as the policy says."""

import asyncpg
import orjson
import pytest

from factories import NURSE, a_student, scalar, student_in
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.security.sealing import SealBroken
from student_hub.students.care import BATCH, CareNotes
from student_hub.students.schemas import Metadata, Student, StudentFilter, StudentPatch
from student_hub.students.service import Students

NOTES = ["난독증", "천식"]
CARE = {"special_needs": NOTES, "interests": ["축구"]}
CLEAR = "SELECT count(*) FROM students WHERE metadata ? 'special_needs'"
IN_CLEAR = (
    "UPDATE students SET metadata = metadata || jsonb_build_object('special_needs', $1::jsonb), "
    "care = NULL"
)
GRANT = (
    "INSERT INTO grants (id, subject, kind, student_id, relation, granted_by, created_at) "
    "VALUES (gen_random_uuid(), $1, 'student', $2, 'test', 'test', now())"
)


def role(of: Role, student: Student) -> Caller:
    """Somebody of that role who may see the student."""
    everywhere = of in {Role.ADMIN, Role.SERVICE}
    reach = None if everywhere else frozenset({f"student:{student.id}"})
    return Caller(of.value, frozenset({Scope.READ}), of, reach)


async def hold_in_clear(owner: asyncpg.Connection, notes: list[str]) -> None:
    """Puts all students' care notes where a hub from before v0009 would."""
    await owner.execute(IN_CLEAR, orjson.dumps(notes).decode())


@pytest.mark.requirement("care-sealed")
async def test_care_notes_are_kept_sealed_and_read_back_as_they_were(
    students: Students, database: Database
) -> None:
    """The shape of a student stays; the database has the rest of the metadata in clear alone."""
    made = await a_student(students, metadata=CARE)
    assert made.metadata.special_needs == NOTES
    assert await students.read(NURSE, made.id) == made
    assert (
        await scalar(database, "SELECT metadata::text FROM students") == '{"interests": ["축구"]}'
    )
    care = await scalar(database, "SELECT care FROM students")
    assert isinstance(care, bytes)
    assert NOTES[0].encode() not in care


@pytest.mark.requirement("care-sealed")
async def test_care_notes_open_only_where_they_were_sealed(
    students: Students, owner: asyncpg.Connection
) -> None:
    """Another column of the same student is another place."""
    made = await a_student(students, metadata=CARE, email="a@example.kr")
    await owner.execute("UPDATE students SET care = email")
    with pytest.raises(SealBroken):
        await students.read(SYSTEM, made.id)


@pytest.mark.requirement("care-sealed")
async def test_care_notes_in_clear_are_read_and_then_sealed(
    students: Students, database: Database, owner: asyncpg.Connection, keyring: Keyring
) -> None:
    """Rows from before v0009 are readable all along, and nothing of them stays in clear."""
    made = [await a_student(students, metadata={"interests": ["수학"]}) for _ in range(BATCH + 3)]
    await hold_in_clear(owner, NOTES)
    assert (await students.read(SYSTEM, made[0].id)).metadata.special_needs == NOTES
    care = CareNotes(database, keyring)
    assert await care.seal_clear() == len(made)
    assert await scalar(database, CLEAR) == 0
    after = await students.read(SYSTEM, made[0].id)
    assert after.metadata == Metadata(special_needs=NOTES, interests=["수학"])
    assert after.updated_at == made[0].updated_at
    assert await care.seal_clear() == 0


@pytest.mark.requirement("care-sealed")
async def test_notes_that_an_older_hub_writes_meanwhile_count(
    students: Students, database: Database, owner: asyncpg.Connection, keyring: Keyring
) -> None:
    """While old and new processes run, what lies in clear is newer than what is sealed."""
    made = await a_student(students, metadata=CARE)
    newer = '{"special_needs": ["저시력"]}'
    await owner.execute("UPDATE students SET metadata = $1::jsonb", newer)
    assert (await students.read(SYSTEM, made.id)).metadata.special_needs == ["저시력"]
    await CareNotes(database, keyring).seal_clear()
    assert (await students.read(SYSTEM, made.id)).metadata.special_needs == ["저시력"]


WITHHELD = {
    Role.ADMIN: [],
    Role.TEACHER: [],
    Role.PARENT: [],
    Role.STUDENT: ["parent_contact", "special_needs"],
    Role.SERVICE: ["email", "parent_contact", "special_needs"],
}


@pytest.mark.requirement("fields-withheld")
@pytest.mark.parametrize("of", Role)
async def test_what_a_role_may_not_see_is_empty_and_named(
    students: Students, owner: asyncpg.Connection, of: Role
) -> None:
    """Reading one and listing many say the same, and the names of fields that are empty too."""
    made = await a_student(students, email="a@b.kr", parent_contact="010-1", metadata=CARE)
    await owner.execute(GRANT, of.value, made.id)
    caller = role(of, made)
    read = await students.read(caller, made.id)
    assert read.withheld == WITHHELD[of]
    assert (read.email is None) == ("email" in read.withheld)
    assert (read.parent_contact is None) == ("parent_contact" in read.withheld)
    assert (read.metadata.special_needs == []) == ("special_needs" in read.withheld)
    assert read.metadata.interests == ["축구"]
    found = await students.page(caller, StudentFilter(school_id=made.school_id))
    assert found.students == [read]


@pytest.mark.requirement("fields-withheld")
async def test_sending_back_what_was_shown_empties_nothing_that_was_withheld(
    students: Students,
) -> None:
    """A service that does not see care notes and contacts changes what it sees, and that alone."""
    service = Caller("service", frozenset({Scope.READ, Scope.WRITE}))
    made = await a_student(students, email="a@b.kr", parent_contact="010-1", metadata=CARE)
    patch = StudentPatch(metadata=Metadata(interests=["야구"]))
    assert (await students.update(service, made.id, patch)).withheld
    row = {"id": str(made.id), "name": made.name, "school_id": "SCH001", "grade": 10}
    rest = {"class_name": "1반", "student_number": "700", "metadata": {"interests": ["바둑"]}}
    receipt = await students.import_many(service, [{**row, **rest}])
    assert receipt.updated == 1
    held = await students.read(SYSTEM, made.id)
    assert (held.email, held.parent_contact) == ("a@b.kr", "010-1")
    assert held.metadata == Metadata(special_needs=NOTES, interests=["바둑"])


@pytest.mark.requirement("fields-withheld")
async def test_what_is_sent_by_name_is_stored_though_it_is_not_shown(students: Students) -> None:
    """A school's program may hand in what it may not read back."""
    service = Caller("service", frozenset({Scope.READ, Scope.WRITE}))
    made = await students.create(service, student_in(email="a@b.kr", metadata=CARE))
    assert (made.email, made.metadata.special_needs) == (None, [])
    patch = StudentPatch(email=None, metadata=Metadata(special_needs=["천식"]))
    await students.update(service, made.id, patch)
    held = await students.read(SYSTEM, made.id)
    assert (held.email, held.metadata.special_needs) == (None, ["천식"])
