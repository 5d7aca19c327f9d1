"""Monthly partitions: made by the product, and nothing lost where one is missing."""

import asyncio
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from sqlalchemy import text

from factories import a_student, event, scalar
from student_hub.history.schemas import Receipt
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-partitions")
IN_PART = "SELECT count(*) FROM learning_history WHERE tableoid = to_regclass(:part)"
DEFAULT = "learning_history_default"


async def test_this_month_and_the_months_ahead_are_made_once(history: History) -> None:
    """A second call finds nothing to do."""
    made = await history.make_partitions(ahead=3)
    assert made[0] == f"learning_history_{utc_now():%Y_%m}"
    assert len(made) == 4
    assert await history.make_partitions(ahead=3) == []
    assert len(await history.make_partitions(ahead=5)) == 2


async def test_an_event_without_a_partition_is_kept_and_moved_when_one_is_made(
    history: History, students: Students, database: Database
) -> None:
    """DEFAULT catches it; afterwards it lies in its month and reads as before."""
    student = await a_student(students)
    sent = [event(student.id, occurred_at=f"2026-0{month}-01T00:00:00Z") for month in (1, 2)]
    late = event(student.id, occurred_at="2026-01-31T23:59:59.999999Z")
    assert await history.record(SYSTEM, [*sent, late]) == Receipt(stored=3)
    before = (await history.of_student(SYSTEM, student.id, days=365)).events
    assert await scalar(database, IN_PART, part=DEFAULT) == 3
    made = await history.make_partitions()
    assert {"learning_history_2026_01", "learning_history_2026_02"} <= set(made)
    assert await scalar(database, IN_PART, part=DEFAULT) == 0
    assert await scalar(database, IN_PART, part="learning_history_2026_01") == 2
    assert (await history.of_student(SYSTEM, student.id, days=365)).events == before


async def test_events_sent_again_after_the_move_are_still_known(
    history: History, students: Students
) -> None:
    """Who an event is does not depend on where it lies."""
    student = await a_student(students)
    old = event(student.id, occurred_at="2026-01-15T00:00:00Z")
    await history.record(SYSTEM, [old])
    await history.make_partitions()
    assert await history.record(SYSTEM, [old]) == Receipt(repeated=1)


async def test_partitions_made_at_once_while_events_come_in_lose_nothing(
    history: History, students: Students, database: Database
) -> None:
    """Writers wait for the new partition instead of failing, two makers agree."""
    student = await a_student(students)
    months = [date(2026, month, 1) for month in range(1, 10)]
    batches = [
        [event(student.id, occurred_at=f"{month}T0{hour}:00:00Z") for hour in range(10)]
        for month in months
    ]
    receipts, *_ = await asyncio.gather(
        asyncio.gather(*(history.record(SYSTEM, batch) for batch in batches)),
        history.make_months(months),
        history.make_months(months),
        history.make_partitions(),
    )
    assert sum(receipt.stored for receipt in receipts) == 90
    await history.make_partitions()
    assert await scalar(database, "SELECT count(*) FROM learning_history") == 90
    assert await scalar(database, IN_PART, part=DEFAULT) == 0


async def test_months_that_no_event_may_be_of_get_no_partition(
    history: History, database: Database
) -> None:
    """A file that speaks of the year 1 or 9999 does not litter the schema."""
    await history.make_months([date(1, 1, 1), date(1999, 12, 1), date(9999, 12, 1)])
    parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'learning_history'::regclass"
    assert await scalar(database, parts) == 1


async def test_months_begin_and_end_in_utc_and_leave_no_gap(database: Database) -> None:
    """Whatever the session's time zone, the bounds of neighbours meet at midnight UTC."""
    async with database.transaction() as tx:
        await tx.session.execute(text("SET LOCAL timezone = 'Asia/Seoul'"))
        for month in (date(2026, 12, 31), date(2027, 1, 1)):
            make = text("SELECT learning_history_make_partition(:month)")
            await tx.session.execute(make, {"month": month})
    bounds = await _bounds(database)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(bounds))
    assert bounds[0][0] == datetime(2026, 12, 1, tzinfo=UTC)


async def _bounds(database: Database) -> list[tuple[datetime, datetime]]:
    query = text(
        "SELECT regexp_matches(pg_get_expr(relpartbound, oid), "
        "'FROM \\(''(.+)''\\) TO \\(''(.+)''\\)') FROM pg_class "
        "WHERE relname ~ '^learning_history_\\d{4}_\\d{2}$' ORDER BY relname"
    )
    async with database.transaction() as tx:
        found = list(await tx.session.scalars(query))
    return [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in found]
