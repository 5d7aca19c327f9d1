"""Retention: months older than the history is kept go whole, and nothing of them returns."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from doorway import an_audit
from factories import a_student, event, scalar
from student_hub.history.schemas import Code
from student_hub.history.service import History
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-retention")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
MONTHS = [datetime(2026, month, 20, tzinfo=UTC) for month in (8, 9, 10, 11)]
KEPT = "SELECT count(*) FROM learning_history"
KEYS = "SELECT count(*) FROM event_keys"
PARTS = (
    "SELECT array_agg(inhrelid::regclass::text ORDER BY 1) FROM pg_inherits "
    "WHERE inhparent = 'learning_history'::regclass"
)


def kept_for(database: Database, students: Students, days: int) -> History:
    return History(database, students, lambda: NOW, an_audit(database), retention_days=days)


async def filled(history: History, students: Students) -> list[dict[str, object]]:
    """An event of each of four months, in partitions of their own."""
    await history.make_months({moment.date().replace(day=1) for moment in MONTHS})
    student = await a_student(students)
    sent = [event(student.id, occurred_at=moment.isoformat()) for moment in MONTHS]
    assert (await history.record(SYSTEM, sent)).stored == len(MONTHS)
    return sent


async def test_months_that_are_over_and_too_old_are_dropped_whole(
    database: Database, students: Students
) -> None:
    """Thirty days back from 22 November is in October, which is kept whole."""
    await filled(kept_for(database, students, 0), students)
    gone = await kept_for(database, students, 30).drop_old()
    assert gone == ["learning_history_2026_08", "learning_history_2026_09"]
    assert await scalar(database, KEPT) == await scalar(database, KEYS) == 2
    assert await kept_for(database, students, 30).drop_old() == []


async def test_without_a_limit_nothing_is_dropped(database: Database, students: Students) -> None:
    """HISTORY_RETENTION_DAYS=0 keeps the history for ever."""
    history = kept_for(database, students, 0)
    await filled(history, students)
    assert await history.drop_old() == []
    assert await scalar(database, KEPT) == len(MONTHS)


async def test_what_lies_in_no_partition_goes_too(
    database: Database, students: Students, owner: asyncpg.Connection
) -> None:
    """Events that came before their month's partition was made."""
    student = await a_student(students)
    old = event(student.id, occurred_at=MONTHS[0].isoformat())
    await kept_for(database, students, 0).record(SYSTEM, [old])
    await kept_for(database, students, 30).drop_old()
    assert await owner.fetchval("SELECT count(*) FROM learning_history_default") == 0
    assert await scalar(database, KEYS) == 0


async def test_what_is_too_old_is_not_taken_in_again(
    database: Database, students: Students
) -> None:
    """Its key is gone with it: sent again it would come back as if it were new."""
    history = kept_for(database, students, 30)
    sent = await filled(kept_for(database, students, 0), students)
    await history.drop_old()
    receipt = await history.record(SYSTEM, sent)
    assert (receipt.stored, receipt.repeated) == (0, 2)
    refused = [(entry.index, entry.field, entry.code) for entry in receipt.refused]
    assert refused == [(0, "occurred_at", Code.INVALID), (1, "occurred_at", Code.INVALID)]


async def test_the_hub_cannot_drop_what_is_recent(database: Database) -> None:
    """A wrong clock or setting does not cost today's history: the function itself refuses."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    with pytest.raises(Exception, match="today is not dropped"):
        await scalar(database, "SELECT learning_history_drop_before(:day)", day=tomorrow)


async def test_partitions_can_be_made_again_after_they_were_dropped(
    database: Database, students: Students
) -> None:
    """Raising the limit later takes old months in again."""
    history = kept_for(database, students, 0)
    await filled(history, students)
    await kept_for(database, students, 30).drop_old()
    await history.make_months([MONTHS[0].date().replace(day=1)])
    parts = await scalar(database, PARTS)
    assert isinstance(parts, list)
    assert "learning_history_2026_08" in parts
