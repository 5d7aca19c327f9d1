"""Many students at once: good rows stored, the others named with row and field."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from factories import WRITER, a_student, generation, scalar, student_fields
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.arriving import BATCH
from student_hub.students.schemas import MOST_REFUSALS, RefusedRow, StudentReceipt
from student_hub.students.service import TAKEN, Students

pytestmark = pytest.mark.requirement("students-import")


async def test_good_rows_are_stored_and_bad_ones_named(
    students: Students, database: Database
) -> None:
    """A bad row costs no other one, and says its number, field and problem."""
    rows: list[object] = [
        student_fields(),
        student_fields(grade=13),
        "not an object",
        student_fields(name="김\u200b"),
        student_fields(),
    ]
    receipt = await students.import_many(SYSTEM, rows)
    assert (receipt.created, receipt.refused) == (2, 3)
    assert [(refused.row, refused.field) for refused in receipt.refusals] == [
        (2, "grade"),
        (3, ""),
        (4, "name"),
    ]
    assert await scalar(database, "SELECT count(*) FROM students") == 2


async def test_a_row_sent_again_is_unchanged_and_a_changed_one_updates(
    students: Students, database: Database
) -> None:
    """With ids of the sender's own an import can be repeated; only what changed is touched."""
    rows = [student_fields(id=str(uuid4())) for _ in range(3)]
    assert await students.import_many(SYSTEM, rows) == StudentReceipt(created=3)
    ids = [(await students.page(SYSTEM)).students[place].id for place in range(3)]
    was = {student_id: await generation(database, students, student_id) for student_id in ids}
    changed = {**rows[0], "grade": 11}
    receipt = await students.import_many(SYSTEM, [changed, rows[1], rows[2]])
    assert receipt == StudentReceipt(updated=1, unchanged=2)
    moved = {i for i in ids if await generation(database, students, i) != was[i]}
    assert {str(student_id) for student_id in moved} == {changed["id"]}


async def test_one_id_twice_in_an_import_is_an_update(students: Students) -> None:
    """Rows count in their order, wherever a batch ends."""
    first = student_fields(id=str(uuid4()))
    receipt = await students.import_many(SYSTEM, [first, {**first, "grade": 12}, first])
    assert receipt == StudentReceipt(created=1, updated=2)


async def test_a_taken_number_refuses_the_row_alone(students: Students) -> None:
    """New rows and moved students meet the same refusal, and their neighbours are stored."""
    await a_student(students, student_number="taken")
    mover = await a_student(students)
    rows = [
        student_fields(student_number="taken"),
        student_fields(id=str(mover.id), student_number="taken"),
        student_fields(),
    ]
    receipt = await students.import_many(SYSTEM, rows)
    assert (receipt.created, receipt.refused) == (1, 2)
    assert {(refused.row, refused.field) for refused in receipt.refusals} == {
        (1, "student_number"),
        (2, "student_number"),
    }
    assert await students.read(SYSTEM, mover.id) == mover


async def test_rows_may_come_as_a_stream_longer_than_a_batch(
    students: Students, database: Database
) -> None:
    """Rows are taken as they arrive; what was stored before a stream breaks stays stored."""

    async def broken_stream() -> AsyncIterator[object]:
        for _ in range(BATCH + 10):
            yield student_fields()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await students.import_many(SYSTEM, broken_stream())
    assert await scalar(database, "SELECT count(*) FROM students") == BATCH


async def test_refusals_are_counted_all_and_told_up_to_a_thousand(students: Students) -> None:
    """A file of rubbish does not fill the memory."""

    def rubbish() -> Iterator[object]:
        yield from range(MOST_REFUSALS + 5)

    receipt = await students.import_many(SYSTEM, rubbish())
    assert (receipt.refused, len(receipt.refusals)) == (MOST_REFUSALS + 5, MOST_REFUSALS)
    assert receipt.refusals[0] == RefusedRow(row=1, field="", problem="should be an object")


async def test_two_imports_of_one_class_at_once_store_each_student_once(
    students: Students, database: Database
) -> None:
    """Rows in opposite orders neither deadlock nor double."""
    rows = [student_fields(id=str(uuid4())) for _ in range(200)]
    receipts = await asyncio.gather(
        students.import_many(SYSTEM, rows), students.import_many(SYSTEM, rows[::-1])
    )
    assert sum(receipt.created for receipt in receipts) == 200
    assert sum(receipt.unchanged for receipt in receipts) == 200
    assert await scalar(database, "SELECT count(*) FROM students") == 200


@pytest.mark.requirement("writing-learns-nothing")
async def test_a_key_that_may_only_write_neither_changes_nor_recognizes_a_student(
    students: Students, database: Database
) -> None:
    """Rows of a known student are refused alike, right or wrong; new students are stored."""
    known = student_fields(id=str(uuid4()))
    await students.import_many(SYSTEM, [known])
    was = (await students.page(SYSTEM)).students
    dated = await generation(database, students, was[0].id)
    receipt = await students.import_many(WRITER, [known, {**known, "grade": 12}, student_fields()])
    assert (receipt.created, receipt.updated, receipt.unchanged, receipt.refused) == (1, 0, 0, 2)
    assert {(r.field, r.problem) for r in receipt.refusals} == {tuple(TAKEN)}
    assert await students.read(SYSTEM, was[0].id) == was[0]
    assert await generation(database, students, was[0].id) == dated


HOLD_UPDATES = """
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END $$;
"""
HELD = "CREATE TRIGGER hold BEFORE UPDATE ON students FOR EACH ROW EXECUTE FUNCTION hold()"
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_imports_that_cross_each_other_both_come_to_their_end(
    students: Students, database: Database, owner: asyncpg.Connection
) -> None:
    """Each has a new student in the place that the other moves a known one to: a deadlock."""
    movers = [await a_student(students) for _ in range(2)]
    await owner.execute(HOLD_UPDATES + HELD)
    imports = []
    async with database.transaction(SYSTEM) as gate:
        await gate.session.execute(text("SELECT pg_advisory_xact_lock(1)"))
        for mover, new, to in zip(movers, "ab", "ba", strict=True):
            moved = student_fields(id=str(mover.id), student_number=to)
            rows = [student_fields(student_number=new), moved]
            imports.append(asyncio.create_task(students.import_many(SYSTEM, rows)))
        async with asyncio.timeout(10):
            while await owner.fetchval(WAITING) != len(imports):
                assert not any(each.done() for each in imports)
    receipts = await asyncio.gather(*imports)
    assert [r.created + r.updated + r.refused for r in receipts] == [2, 2]
    places = "SELECT count(*) FROM students WHERE student_number IN ('a', 'b')"
    assert await scalar(database, places) == 2
