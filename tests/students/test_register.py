"""The register: students created, read, changed, deleted, listed."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from factories import NURSE, READER, WRITER, a_student, generation, scalar, student_in, take_away
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.errors import StudentExists, StudentNotFound
from student_hub.students.schemas import (
    Metadata,
    ParentPreferences,
    Student,
    StudentFilter,
    StudentPatch,
)
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("students-crud")


async def test_a_created_student_reads_back_as_they_were_sent(students: Students) -> None:
    """Every field of the contract is kept, sealed ones and metadata too."""
    preferences = ParentPreferences(notification_method="kakao", report_frequency="weekly")
    metadata = Metadata(
        learning_style="visual", interests=["수학", "축구"], parent_preferences=preferences
    )
    sent = student_in(
        name="김철수",
        email="chulsoo@example.kr",
        parent_contact="010-1234-5678",
        metadata=metadata.model_dump(),
    )
    created = await students.create(SYSTEM, sent)
    read = await students.read(NURSE, created.id)
    assert read == created
    assert sent.model_copy(update={"id": created.id}).model_dump() == read.model_dump(
        exclude={"created_at", "updated_at", "withheld"}
    )


async def test_a_students_id_may_be_the_senders_own_once(students: Students) -> None:
    """The same id twice is a conflict, not a second student."""
    mine = uuid4()
    assert (await a_student(students, id=mine)).id == mine
    with pytest.raises(StudentExists):
        await a_student(students, id=mine)


async def test_a_number_is_given_once_in_a_class(students: Students) -> None:
    """The same number in another class or school is free."""
    await a_student(students, student_number="7")
    with pytest.raises(StudentExists):
        await a_student(students, student_number="7")
    await a_student(students, student_number="7", class_name="2반")
    await a_student(students, student_number="7", school_id="SCH002")


async def test_students_without_a_number_are_told_apart_by_name(students: Students) -> None:
    """The unique key is not void for NULL numbers: one name once, several names at will."""
    await a_student(students, name="김영희", student_number=None)
    await a_student(students, name="박민수", student_number=None)
    with pytest.raises(StudentExists):
        await a_student(students, name=" 김영희", student_number=None)


async def test_a_patch_changes_what_it_names_and_empties_what_is_null(students: Students) -> None:
    """Fields that are not sent stay; the change dates the student."""
    before = await a_student(students, email="a@example.kr", parent_contact="010-1")
    after = await students.update(SYSTEM, before.id, StudentPatch(grade=11, email=None))
    assert (after.grade, after.email, after.parent_contact) == (11, None, "010-1")
    assert after.updated_at > before.updated_at
    assert await students.read(NURSE, before.id) == after


async def test_a_patch_that_changes_nothing_is_no_change(
    students: Students, database: Database
) -> None:
    """Neither the date nor the generation moves, so that no cache is thrown away for it."""
    before = await a_student(students)
    was = await generation(database, students, before.id)
    after = await students.update(SYSTEM, before.id, StudentPatch(name=before.name))
    assert (after, await generation(database, students, before.id)) == (before, was)


async def test_moving_onto_a_taken_number_is_a_conflict_and_changes_nothing(
    students: Students,
) -> None:
    """The refused change leaves the student as they were."""
    await a_student(students, student_number="1")
    second = await a_student(students, student_number="2")
    with pytest.raises(StudentExists):
        await students.update(SYSTEM, second.id, StudentPatch(student_number="1", name="다른"))
    assert await students.read(SYSTEM, second.id) == second


async def test_every_change_gives_a_new_generation(students: Students, database: Database) -> None:
    """What is cached under the old generation cannot be found any more."""
    student = await a_student(students)
    seen = [await generation(database, students, student.id)]
    await students.update(SYSTEM, student.id, StudentPatch(grade=11))
    seen.append(await generation(database, students, student.id))
    async with database.transaction(SYSTEM) as tx:
        await students.touch(tx, [student.id, student.id])
    seen.append(await generation(database, students, student.id))
    assert seen == sorted(set(seen))


async def test_a_student_who_comes_back_has_a_generation_never_seen_before(
    students: Students, database: Database
) -> None:
    """Cache entries of a deleted student cannot revive under the same id."""
    student = await a_student(students)
    was = await generation(database, students, student.id)
    await take_away(database, students, student.id)
    await a_student(students, id=student.id)
    assert await generation(database, students, student.id) > was


async def test_a_deleted_student_is_gone_with_the_key(
    students: Students, database: Database
) -> None:
    """Nothing that could open the sealed values stays."""
    student = await a_student(students)
    await take_away(database, students, student.id)
    with pytest.raises(StudentNotFound):
        await students.read(SYSTEM, student.id)
    assert await scalar(database, "SELECT count(*) FROM student_keys") == 0


@pytest.mark.parametrize("use_case", ["read", "update"])
async def test_an_unknown_student_is_one_clear_error(students: Students, use_case: str) -> None:
    """Every use case answers alike, and the message reveals nothing more."""
    unknown = uuid4()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "read": lambda: students.read(SYSTEM, unknown),
        "update": lambda: students.update(SYSTEM, unknown, StudentPatch(grade=3)),
    }
    with pytest.raises(StudentNotFound) as refused:
        await calls[use_case]()
    assert str(unknown) not in refused.value.message


async def test_reading_and_writing_need_their_scopes(students: Students) -> None:
    """A key that may only read writes nothing, and the other way round."""
    student = await a_student(students)
    with pytest.raises(NotAllowed):
        await students.create(READER, student_in())
    with pytest.raises(NotAllowed):
        await students.update(READER, student.id, StudentPatch(grade=3))
    with pytest.raises(NotAllowed):
        await students.read(WRITER, student.id)
    with pytest.raises(NotAllowed):
        await students.page(WRITER)


async def test_pages_hold_every_student_once(students: Students) -> None:
    """Following the cursor meets all of them, in the order of their ids."""
    made = [await a_student(students) for _ in range(7)]
    met: list[Student] = []
    cursor = None
    while True:
        page = await students.page(NURSE, cursor=cursor, limit=3)
        met += page.students
        if (cursor := page.next) is None:
            break
    assert met == sorted(made, key=lambda student: student.id)


async def test_filters_all_hold_at_once(students: Students) -> None:
    """School, grade and class narrow a list together."""
    wanted = await a_student(students, school_id="SCH2", grade=9, class_name="3반")
    await a_student(students, school_id="SCH2", grade=9, class_name="4반")
    await a_student(students, school_id="SCH2", grade=8, class_name="3반")
    await a_student(students, school_id="SCH3", grade=9, class_name="3반")
    found = await students.page(NURSE, StudentFilter(school_id="SCH2", grade=9, class_name="3반"))
    assert found.students == [wanted]


@pytest.mark.parametrize(("cursor", "limit"), [("nowhere", 5), (None, 0), (None, 201)])
async def test_a_bad_page_is_refused_by_field(
    students: Students, cursor: str | None, limit: int
) -> None:
    """An invented cursor or a limit out of 1-200 names its field."""
    with pytest.raises(InvalidInput, match="cursor" if cursor else "limit"):
        await students.page(SYSTEM, cursor=cursor, limit=limit)
