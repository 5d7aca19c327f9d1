"""Events in batches: each stored once, each bad one refused by itself."""

import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from factories import READER, a_student, event, generation, scalar, take_away
from student_hub.history.checking import MOST_CONTENT_BYTES
from student_hub.history.schemas import Code, Receipt, Refused
from student_hub.history.service import MOST_EVENTS, History
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.ndjson import Unreadable
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-batch")

COUNT = "SELECT count(*) FROM learning_history"


@pytest.mark.requirement("history-once")
async def test_an_event_sent_again_is_stored_once(
    history: History, students: Students, database: Database
) -> None:
    """Sent again whole, with its keys in another order or its time in another zone: repeated."""
    student = await a_student(students)
    first = event(student.id, occurred_at="2026-01-08T14:30:00+09:00")
    content = first["content"]
    assert isinstance(content, dict)
    turned = {**first, "content": dict(reversed(content.items()))}
    elsewhere = {**first, "occurred_at": "2026-01-08T05:30:00Z"}
    assert await history.record(SYSTEM, [first]) == Receipt(stored=1)
    assert await history.record(SYSTEM, [first, turned, elsewhere]) == Receipt(repeated=3)
    assert await scalar(database, COUNT) == 1


@pytest.mark.requirement("history-once")
async def test_an_event_twice_in_one_batch_is_stored_once(
    history: History, students: Students
) -> None:
    """The first one counts; the same again is repeated, another content is a conflict."""
    student = await a_student(students)
    first = event(student.id)
    receipt = await history.record(SYSTEM, [first, first, {**first, "event_type": "test"}])
    assert (receipt.stored, receipt.repeated) == (1, 1)
    assert [(r.index, r.code) for r in receipt.refused] == [(2, Code.CONFLICT)]


@pytest.mark.requirement("history-conflict")
@pytest.mark.parametrize("field", ["student_id", "event_type", "occurred_at", "content"])
async def test_the_same_event_with_other_content_is_a_conflict(
    history: History, students: Students, database: Database, field: str
) -> None:
    """Whichever part differs, what was stored stays as it was."""
    student, other = await a_student(students), await a_student(students)
    first = event(student.id)
    await history.record(SYSTEM, [first])
    differs = {
        "student_id": str(other.id),
        "event_type": "test",
        "occurred_at": "2026-01-01T00:00:00Z",
        "content": {"result": "incorrect"},
    }
    receipt = await history.record(SYSTEM, [{**first, field: differs[field]}])
    assert receipt.refused == [
        Refused(
            index=0,
            source_id=str(first["source_id"]),
            field="source_id",
            problem="is known with other content",
            code=Code.CONFLICT,
        )
    ]
    kept = (await history.of_student(SYSTEM, student.id)).events
    assert [(str(e.student_id), e.event_type, e.content) for e in kept] == [
        (first["student_id"], first["event_type"], first["content"])
    ]
    assert await scalar(database, COUNT) == 1


NOW = datetime.now(UTC)
BAD: dict[str, tuple[dict[str, object], str]] = {
    "a bad UUID": ({"student_id": "7"}, "student_id"),
    "the first year": ({"occurred_at": "0001-01-01T00:00:00+09:00"}, "occurred_at"),
    "the last year": ({"occurred_at": "9999-12-31T23:59:59-09:00"}, "occurred_at"),
    "1970": ({"occurred_at": "1970-01-01T00:00:00Z"}, "occurred_at"),
    "1999": ({"occurred_at": "1999-12-31T23:59:59Z"}, "occurred_at"),
    "2100": ({"occurred_at": "2100-01-01T00:00:00Z"}, "occurred_at"),
    "in 25 hours": ({"occurred_at": (NOW + timedelta(hours=25)).isoformat()}, "occurred_at"),
    "a naive time": ({"occurred_at": "2026-01-08T14:30:00"}, "occurred_at"),
    "a number as time": ({"occurred_at": 1_767_800_000}, "occurred_at"),
    "digits as time": ({"occurred_at": "1767800000"}, "occurred_at"),
    "no time": ({"occurred_at": None}, "occurred_at"),
    "an unknown type": ({"event_type": "party"}, "event_type"),
    "node 7": ({"source_node": 7}, "source_node"),
    "node -1": ({"source_node": -1}, "source_node"),
    "a node as text": ({"source_node": "4"}, "source_node"),
    "a node as truth": ({"source_node": True}, "source_node"),
    "no source id": ({"source_id": ""}, "source_id"),
    "a long source id": ({"source_id": "x" * 201}, "source_id"),
    "a hidden source id": ({"source_id": "a\u202eb"}, "source_id"),
    "content as list": ({"content": []}, "content"),
    "large content": ({"content": {"x": "가" * MOST_CONTENT_BYTES}}, "content"),
    "a NUL in content": ({"content": {"x": "a\x00b"}}, "content"),
    "a NUL behind a backslash": ({"content": {"x": "a\\\x00b"}}, "content"),
    "half a surrogate": ({"content": {"x": "\ud800"}}, "content"),
    "an endless number": ({"content": {"x": 10**400}}, "content"),
    "an unknown field": ({"mood": "good"}, "mood"),
}


@pytest.mark.requirement("history-batch", "bad-input")
@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_event_is_refused_by_field_and_costs_no_other(
    history: History, students: Students, database: Database, bad: str
) -> None:
    """The events around it are stored; nothing of it is."""
    student = await a_student(students)
    fields, field = BAD[bad]
    batch = [event(student.id), {**event(student.id), **fields}, event(student.id)]
    receipt = await history.record(SYSTEM, batch)
    assert receipt.stored == 2
    assert [(r.index, r.field, r.code) for r in receipt.refused] == [(1, field, Code.INVALID)]
    assert await scalar(database, COUNT) == 2


@pytest.mark.requirement("history-batch")
@pytest.mark.parametrize("thing", [None, 5, "event", [], Unreadable("is not JSON: broken")])
async def test_what_is_no_event_at_all_is_refused(history: History, thing: object) -> None:
    """Anything may stand in a batch without breaking it."""
    receipt = await history.record(SYSTEM, [thing])
    assert [(r.index, r.source_id, r.field, r.code) for r in receipt.refused] == [
        (0, None, "", Code.INVALID)
    ]
    assert receipt.refused[0].problem in {"should be an object", "is not JSON: broken"}


@pytest.mark.requirement("history-batch", "bad-input")
async def test_an_event_of_no_student_is_refused(history: History, students: Students) -> None:
    """And sent again when the student is there, it is stored."""
    stranger = uuid4()
    early = event(stranger)
    receipt = await history.record(SYSTEM, [early])
    assert [(r.field, r.code) for r in receipt.refused] == [("student_id", Code.UNKNOWN_STUDENT)]
    await a_student(students, id=str(stranger))
    assert await history.record(SYSTEM, [early]) == Receipt(stored=1)


async def test_an_event_just_inside_the_limits_is_stored(
    history: History, students: Students
) -> None:
    """2000-01-01 and 23 hours ahead are fine: clocks of nodes differ."""
    student = await a_student(students)
    times = ["2000-01-01T00:00:00Z", (datetime.now(UTC) + timedelta(hours=23)).isoformat()]
    receipt = await history.record(SYSTEM, [event(student.id, occurred_at=at) for at in times])
    assert receipt == Receipt(stored=2)


async def test_the_text_of_an_escape_is_no_nul(history: History, students: Students) -> None:
    """A backslash and u0000 are six letters that may be written about."""
    student = await a_student(students)
    content = {"x": "\\u0000", "\\\\u0000": 1}
    assert await history.record(SYSTEM, [event(student.id, content=content)]) == Receipt(stored=1)
    assert (await history.of_student(SYSTEM, student.id)).events[0].content == content


@pytest.mark.requirement("history-batch", "history-once")
async def test_a_repeat_of_an_event_that_is_refused_is_refused_too(
    history: History, students: Students
) -> None:
    """Twice of no student, twice against what is stored: nothing of it counts as repeated."""
    student = await a_student(students)
    stored = event(student.id)
    await history.record(SYSTEM, [stored])
    strange, clash = event(uuid4()), {**stored, "event_type": "test"}
    receipt = await history.record(SYSTEM, [strange, clash, stored, strange, clash])
    assert (receipt.stored, receipt.repeated) == (0, 0)
    assert [(r.index, r.code) for r in receipt.refused] == [
        (0, Code.UNKNOWN_STUDENT),
        (1, Code.CONFLICT),
        (2, Code.CONFLICT),
        (3, Code.UNKNOWN_STUDENT),
        (4, Code.CONFLICT),
    ]


async def test_korean_content_in_nfd_is_the_same_event_in_nfc(
    history: History, students: Students
) -> None:
    """Text inside the content is composed, keys too, before it is compared and stored."""
    student = await a_student(students)
    composed = event(student.id, content={"단원": ["이차방정식", {"x": "값"}], "n": 1})
    spread = {"n": 1, _nfd("단원"): [_nfd("이차방정식"), {"x": _nfd("값")}]}
    assert await history.record(SYSTEM, [{**composed, "content": spread}]) == Receipt(stored=1)
    assert await history.record(SYSTEM, [composed]) == Receipt(repeated=1)
    stored = (await history.of_student(SYSTEM, student.id)).events[0]
    assert stored.content == composed["content"]


async def test_new_events_date_their_students_and_repeated_ones_do_not(
    history: History, students: Students, database: Database
) -> None:
    """Exactly the students of new events get a new generation."""
    busy, idle = await a_student(students), await a_student(students)
    one = event(busy.id)
    before = [await generation(database, students, s.id) for s in (busy, idle)]
    await history.record(SYSTEM, [one])
    after = [await generation(database, students, s.id) for s in (busy, idle)]
    assert (after[0] > before[0], after[1]) == (True, before[1])
    await history.record(SYSTEM, [one])
    assert [await generation(database, students, s.id) for s in (busy, idle)] == after


async def test_a_batch_keeps_the_order_in_which_it_was_sent(
    history: History, students: Students
) -> None:
    """Events of one instant are told apart by ids in the order of arrival, not of their names."""
    student = await a_student(students)
    at = datetime.now(UTC).isoformat()
    names = ["b", "a", "가", "Z", "10", "9"]
    await history.record(
        SYSTEM, [event(student.id, source_id=name, occurred_at=at) for name in names]
    )
    newest_first = (await history.of_student(SYSTEM, student.id)).events
    assert [stored.source_id for stored in reversed(newest_first)] == names


async def test_too_many_events_are_refused_whole(history: History, database: Database) -> None:
    """Nothing of a batch over the limit is stored; the error names the field."""
    with pytest.raises(InvalidInput, match="events"):
        await history.record(SYSTEM, [None] * (MOST_EVENTS + 1))
    assert await scalar(database, "SELECT count(*) FROM event_keys") == 0


async def test_recording_needs_the_scope_write(history: History) -> None:
    """A key that may only read records nothing."""
    with pytest.raises(NotAllowed):
        await history.record(READER, [])


async def test_an_empty_batch_is_an_empty_receipt(history: History) -> None:
    """Nothing to do is no error."""
    assert await history.record(SYSTEM, []) == Receipt()


async def test_a_deleted_student_takes_their_history_along(
    history: History, students: Students, database: Database
) -> None:
    """Events and their keys go; those of others stay."""
    gone, stays = await a_student(students), await a_student(students)
    await history.record(SYSTEM, [event(gone.id), event(gone.id), event(stays.id)])
    await take_away(database, students, gone.id)
    assert await scalar(database, COUNT) == 1
    assert await scalar(database, "SELECT count(*) FROM event_keys") == 1


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)
