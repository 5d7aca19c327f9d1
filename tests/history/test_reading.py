"""A student's history, newest first, and events that were voided."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from factories import READER, WRITER, a_student, event, generation, scalar
from student_hub.history.errors import EventNotFound
from student_hub.history.schemas import Code, EventKey, Receipt
from student_hub.history.service import History
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-read")


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@pytest.mark.requirement("history-read")
async def test_pages_hold_every_event_once_newest_first(
    history: History, students: Students
) -> None:
    """Following `next` meets all events, also those of one instant."""
    student, other = await a_student(students), await a_student(students)
    same = ago(hours=1)
    sent = [event(student.id, source_id=f"{n}", occurred_at=same) for n in range(4)]
    sent += [event(student.id, source_id=f"{n}", occurred_at=ago(hours=n)) for n in range(4, 9)]
    await history.record(SYSTEM, [*sent, event(other.id)])
    met: list[str] = []
    before = None
    while True:
        page = await history.of_student(READER, student.id, limit=2, before=before)
        met += [stored.source_id for stored in page.events]
        if (before := page.next) is None:
            break
    assert met == ["3", "2", "1", "0", "4", "5", "6", "7", "8"]


@pytest.mark.requirement("history-read")
async def test_days_and_type_narrow_the_history(history: History, students: Students) -> None:
    """Only the window and the type that were asked for."""
    student = await a_student(students)
    sent = [
        event(student.id, source_id="old", occurred_at=ago(days=10)),
        event(student.id, source_id="new", occurred_at=ago(days=1)),
        event(student.id, source_id="exam", event_type="test", occurred_at=ago(days=2)),
    ]
    await history.record(SYSTEM, sent)
    week = await history.of_student(SYSTEM, student.id, days=7)
    exams = await history.of_student(SYSTEM, student.id, event_type="test")
    assert [stored.source_id for stored in week.events] == ["new", "exam"]
    assert [stored.source_id for stored in exams.events] == ["exam"]


@pytest.mark.requirement("history-read")
@pytest.mark.parametrize(
    ("asked", "field"),
    [({"days": 0}, "days"), ({"days": 366}, "days"), ({"limit": 0}, "limit")]
    + [({"before": text}, "before") for text in ("x", "2026-01-01T00:00:00_1", "_", "9_9")],
)
async def test_a_bad_question_is_refused_by_field(
    history: History, students: Students, asked: dict[str, int | str], field: str
) -> None:
    """Days out of 1-365, a limit of none, an invented cursor."""
    student = await a_student(students)
    days, limit, before = asked.get("days", 30), asked.get("limit", 5), asked.get("before")
    with pytest.raises(InvalidInput, match=field):
        await history.of_student(
            SYSTEM, student.id, days=int(days), limit=int(limit), before=_text(before)
        )


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)


@pytest.mark.requirement("history-read")
async def test_the_history_of_nobody_is_one_clear_error(history: History) -> None:
    """An unknown student is not an empty history."""
    with pytest.raises(StudentNotFound):
        await history.of_student(SYSTEM, uuid4())


async def test_reading_needs_the_scope_read(history: History, students: Students) -> None:
    """A key that may only write reads nothing."""
    student = await a_student(students)
    with pytest.raises(NotAllowed):
        await history.of_student(WRITER, student.id)


@pytest.mark.requirement("history-void")
async def test_a_voided_event_leaves_the_history_and_stays_out(
    history: History, students: Students, database: Database
) -> None:
    """Sent again it is refused as voided; its neighbours stay; what it said is kept apart."""
    student = await a_student(students)
    wrong, right = event(student.id), event(student.id)
    await history.record(SYSTEM, [wrong, right])
    key = EventKey(source_node=4, source_id=str(wrong["source_id"]))
    before = await generation(database, students, student.id)
    voided = await history.void(SYSTEM, key)
    assert (voided.student_id, voided.source_id) == (student.id, wrong["source_id"])
    left = (await history.of_student(SYSTEM, student.id)).events
    assert [stored.source_id for stored in left] == [right["source_id"]]
    for sent in (wrong, {**wrong, "content": {}}):
        again = await history.record(SYSTEM, [sent, right])
        assert (again.stored, again.repeated) == (0, 1)
        assert [refused.code for refused in again.refused] == [Code.VOIDED]
    assert await generation(database, students, student.id) > before
    kept = await scalar(
        database, "SELECT voided_event->'content' FROM event_keys WHERE voided_at IS NOT NULL"
    )
    assert kept == wrong["content"]


@pytest.mark.requirement("history-void")
async def test_voiding_twice_changes_nothing_more(
    history: History, students: Students, database: Database
) -> None:
    """The second answer is the first one."""
    student = await a_student(students)
    sent = event(student.id)
    await history.record(SYSTEM, [sent])
    key = EventKey(source_node=4, source_id=str(sent["source_id"]))
    first = await history.void(SYSTEM, key)
    dated = await generation(database, students, student.id)
    assert await history.void(SYSTEM, key) == first
    assert await generation(database, students, student.id) == dated


@pytest.mark.requirement("history-void", "writing-learns-nothing")
async def test_voiding_an_event_of_a_hidden_student_is_not_found(
    history: History, students: Students
) -> None:
    """As if it were not there; and it stays there."""
    student = await a_student(students)
    sent = event(student.id)
    await history.record(WRITER, [sent])
    with pytest.raises(EventNotFound):
        await history.void(WRITER, EventKey(source_node=4, source_id=str(sent["source_id"])))
    assert len((await history.of_student(SYSTEM, student.id)).events) == 1


@pytest.mark.requirement("history-void")
async def test_voiding_what_never_was_is_not_found(history: History) -> None:
    """Nothing is voided ahead of time."""
    with pytest.raises(EventNotFound):
        await history.void(SYSTEM, EventKey(source_node=4, source_id="never"))
    assert await history.record(SYSTEM, []) == Receipt()
