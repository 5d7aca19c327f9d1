"""Batches at once: real transactions on several connections, none lost, none doubled."""

import asyncio
import random
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text

from factories import a_student, event, scalar, take_away
from student_hub.history.errors import EventNotFound
from student_hub.history.schemas import Code, EventKey
from student_hub.history.service import History
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.schemas import StudentPatch
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-once")

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
COUNT = "SELECT count(*) FROM learning_history"


@pytest.mark.requirement("history-once")
async def test_the_same_events_in_many_batches_at_once_are_stored_once(
    history: History, students: Students, database: Database
) -> None:
    """Eight senders with the same events in eight orders: no deadlock, each event once."""
    some = [await a_student(students) for _ in range(10)]
    batch = [event(some[n % 10].id) for n in range(400)]
    orders = [random.Random(seed).sample(batch, len(batch)) for seed in range(8)]  # noqa: S311 (a seeded order)
    receipts = await asyncio.gather(*(history.record(SYSTEM, order) for order in orders))
    assert sum(receipt.stored for receipt in receipts) == 400
    assert sum(receipt.repeated for receipt in receipts) == 7 * 400
    assert not any(receipt.refused for receipt in receipts)
    assert await scalar(database, COUNT) == 400


async def test_two_contents_for_one_event_at_once_store_one_and_refuse_the_other(
    history: History, students: Students
) -> None:
    """Whoever comes second hears of the conflict."""
    student = await a_student(students)
    first = event(student.id)
    second = {**first, "content": {"result": "incorrect"}}
    receipts = await asyncio.gather(
        history.record(SYSTEM, [first]), history.record(SYSTEM, [second])
    )
    assert sorted(receipt.stored for receipt in receipts) == [0, 1]
    assert [r.code for receipt in receipts for r in receipt.refused] == [Code.CONFLICT]


@pytest.mark.requirement("history-void")
async def test_voiding_waits_for_a_deletion_without_holding_what_that_needs(
    history: History, students: Students, database: Database, owner: asyncpg.Connection
) -> None:
    """The student's row is locked before the event's key: neither waits for the other."""
    student = await a_student(students)
    sent = event(student.id)
    await history.record(SYSTEM, [sent])
    key = EventKey(source_node=4, source_id=str(sent["source_id"]))
    async with database.transaction(SYSTEM) as deletion:
        await deletion.session.execute(text("SELECT id FROM students FOR UPDATE"))
        voiding = asyncio.create_task(history.void(SYSTEM, key))
        async with asyncio.timeout(10):
            while not await owner.fetchval(WAITING):
                assert not voiding.done()
        await deletion.session.execute(text("SELECT source_id FROM event_keys FOR UPDATE NOWAIT"))
        await deletion.session.execute(text("DELETE FROM students"))
    with pytest.raises(EventNotFound):
        await voiding


async def test_students_may_be_changed_and_deleted_while_events_come_in(
    history: History, students: Students, database: Database
) -> None:
    """Recording, moving, voiding, deleting and making partitions at once never fail each other."""
    some = [await a_student(students) for _ in range(6)]
    batches = [[event(student.id) for student in some * 5] for _ in range(6)]
    source_id = str(batches[0][0]["source_id"])

    async def void() -> None:
        with suppress(EventNotFound):
            await history.void(SYSTEM, EventKey(source_node=4, source_id=source_id))

    await asyncio.gather(
        *(history.record(SYSTEM, batch) for batch in batches),
        *(students.update(SYSTEM, s.id, StudentPatch(class_name="9반")) for s in some[1:]),
        take_away(database, students, some[0].id),
        void(),
        history.make_partitions(),
        history.make_partitions(),
    )
    kept = await scalar(database, COUNT)
    assert kept == 6 * 5 * 5
    assert await scalar(database, "SELECT count(*) FROM event_keys") == kept
