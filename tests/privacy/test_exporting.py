"""Export: everything that is held of a student, in one document, for who has a right to it."""

import asyncio
import tracemalloc
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from sqlalchemy import text

from factories import NURSE, WRITER, a_student, event, scalar
from notification_stage import a_notice
from privacy_stage import Room
from student_hub.history.schemas import EventKey
from student_hub.platform.errors import HubError, NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.privacy.errors import ExportRefused
from student_hub.privacy.spooling import PIECE, Aside
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import ConsentIn, Method, ProcessingIn, Relation, State

pytestmark = pytest.mark.requirement("export")
WHY = "열람 요청"
GRANT = (
    "INSERT INTO grants (id, subject, kind, student_id, relation, granted_by, created_at) "
    "VALUES (gen_random_uuid(), $1, 'student', $2, $1, 'school-office', now())"
)
NOTED = "SELECT count(*) FROM audit_inbox WHERE action = 'student.export' AND outcome = 'ok'"
REASON = "SELECT reason FROM audit_inbox WHERE action = 'student.export'"
MANY = """
    INSERT INTO learning_history (id, student_id, event_type, source_node, source_id, content,
        occurred_at)
    SELECT nextval('learning_history_id_seq'), $1, 'study', 4, 'many-' || n,
        jsonb_build_object('action', 'solved_problem', 'note', repeat('x', 400)),
        now() - n * interval '1 minute'
    FROM generate_series(1, $2) AS n
"""


def person(of: Role, student_id: UUID) -> Caller:
    """Somebody of that role to whom a grant names the student."""
    labels = frozenset({f"student:{student_id}"})
    return Caller(of.value, frozenset({Scope.READ}), of, labels)


async def exported(room: Room, caller: Caller, student_id: UUID) -> dict[str, Any]:
    pieces = await room.exporting.export(caller, student_id, WHY)
    document = orjson.loads(b"".join([piece async for piece in pieces]))
    assert isinstance(document, dict)
    return document


async def test_an_export_holds_everything_that_was_ever_stored(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Register, consents, state, who may see, history, voided events, who has looked."""
    metadata = {"special_needs": ["난독증"], "interests": ["축구"]}
    student = await a_student(
        room.students, email="a@b.kr", parent_contact="010-1234", metadata=metadata
    )
    sent = [event(student.id, content={"said": f"사건 {n}"}) for n in range(4)]
    await room.history.record(SYSTEM, sent)
    voided = EventKey(source_node=4, source_id=str(sent[0]["source_id"]))
    await room.history.void(SYSTEM, voided)
    given = ConsentIn(
        purpose="learning", version="7", method=Method.CARD, given_by_relation=Relation.FATHER
    )
    consent = await room.consents.give(SYSTEM, student.id, given)
    stop = ProcessingIn(state=State.STOPPED, reason="처리정지 요청")
    await room.consents.set_processing(SYSTEM, student.id, stop)
    await owner.execute(GRANT, "parent", student.id)
    await room.notifications.notify(a_notice(student.id))
    document = await exported(room, SYSTEM, student.id)
    assert document["student"]["name"] == student.name
    assert (document["student"]["email"], document["student"]["withheld"]) == ("a@b.kr", [])
    assert document["student"]["metadata"]["special_needs"] == ["난독증"]
    assert document["consents"] == [consent.model_dump(mode="json")]
    assert document["processing"]["reason"] == stop.reason
    assert {e["content"]["said"] for e in document["history"]} == {f"사건 {n}" for n in (1, 2, 3)}
    assert [e["voided_event"]["content"]["said"] for e in document["voided_events"]] == ["사건 0"]
    assert "parent" in [viewer["subject"] for viewer in document["seen_by"]]
    assert "student.create" in [access["action"] for access in document["accesses"]]
    assert document["earlier_erasures"] == []
    (told,) = document["notifications"]
    assert (told["recipient"], told["reason"]) == ("parent", "stopped")


async def test_an_export_is_noted_with_its_reason_before_it_leaves(room: Room) -> None:
    """Also when nobody reads it to the end."""
    student = await a_student(room.students)
    await room.exporting.export(SYSTEM, student.id, WHY)
    assert await scalar(room.database, REASON) == WHY


@pytest.mark.parametrize("of", [Role.PARENT, Role.STUDENT])
async def test_the_family_may_have_all_that_they_may_see(
    room: Room, owner: asyncpg.Connection, of: Role
) -> None:
    """A right of access, within what the policy shows them; what it does not show is named."""
    student = await a_student(
        room.students, email="a@b.kr", parent_contact="010-1", metadata={"special_needs": ["천식"]}
    )
    await room.history.record(SYSTEM, [event(student.id)])
    await owner.execute(GRANT, of.value, student.id)
    document = await exported(room, person(of, student.id), student.id)
    mine = document["student"]
    hidden = {"parent_contact", "special_needs"} if of is Role.STUDENT else set()
    assert set(mine["withheld"]) == hidden
    assert (mine["parent_contact"] is None) == bool(hidden)
    assert len(document["history"]) == 1


async def test_an_export_is_for_nobody_else(room: Room, owner: asyncpg.Connection) -> None:
    """Neither teachers, nor services, nor a guardian of a whole class; strangers learn nothing."""
    student = await a_student(room.students)
    await owner.execute(GRANT, "teacher", student.id)
    await owner.execute(
        "INSERT INTO grants (id, subject, kind, school_id, grade, class_name, relation, "
        "granted_by, created_at) VALUES (gen_random_uuid(), 'parent', 'class', $1, $2, $3, 'x', "
        "'x', now())",
        *(student.school_id, student.grade, student.class_name),
    )
    whole_class = frozenset({f"class:{student.school_id}:{student.grade}:{student.class_name}"})
    reads = frozenset({Scope.READ})
    refusals: list[tuple[Caller, type[HubError]]] = [
        (person(Role.TEACHER, student.id), ExportRefused),
        (Caller("parent", reads, Role.PARENT, whole_class), ExportRefused),
        (NURSE, ExportRefused),
        (WRITER, NotAllowed),
        (Caller("stranger", reads, Role.PARENT, frozenset()), StudentNotFound),
    ]
    for caller, error in refusals:
        with pytest.raises(error):
            await room.exporting.export(caller, student.id, WHY)
    with pytest.raises(StudentNotFound):
        await room.exporting.export(SYSTEM, uuid4(), WHY)
    assert await scalar(room.database, NOTED) == 0


async def test_an_export_is_of_one_moment_and_holds_nobody_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored while it is written is not in it, and is stored at once."""
    student = await a_student(room.students)
    await room.history.record(SYSTEM, [event(student.id)])
    consents_of = room.consents.all_of

    async def meanwhile(*args: Any) -> Any:
        found = await consents_of(*args)
        async with asyncio.timeout(5):
            receipt = await asyncio.create_task(
                room.history.record(SYSTEM, [event(student.id) for _ in range(5)])
            )
        assert receipt.stored == 5
        return found

    monkeypatch.setattr(room.consents, "all_of", meanwhile)
    assert len((await exported(room, SYSTEM, student.id))["history"]) == 1
    monkeypatch.undo()
    assert len((await exported(room, SYSTEM, student.id))["history"]) == 6


async def test_a_long_history_is_exported_whole_in_bounded_memory(
    room: Room, owner: asyncpg.Connection
) -> None:
    """20,000 events of half a kilobyte pass through a few megabytes."""
    student = await a_student(room.students)
    await owner.execute(MANY, student.id, 20_000)
    size = 0
    tracemalloc.start()
    try:
        async for piece in await room.exporting.export(SYSTEM, student.id, WHY):
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 20_000 * 500
    assert peak < size


async def test_more_voided_events_than_a_page_are_all_there(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Each once, in the order of their keys."""
    student = await a_student(room.students)
    await owner.execute(
        "INSERT INTO event_keys (source_node, source_id, student_id, event_id, occurred_at, "
        "fingerprint, voided_at, voided_by, voided_event) SELECT 4, 'v-' || n, $1, n, now(), '', "
        "now(), 'x', '{}' FROM generate_series(1, 2500) AS n",
        student.id,
    )
    voided = (await exported(room, SYSTEM, student.id))["voided_events"]
    assert len({entry["source_id"] for entry in voided}) == len(voided) == 2500


async def test_what_is_kept_aside_is_sealed_and_comes_back_as_it_was() -> None:
    """A large document touches a disk, where nobody can read it."""
    aside = Aside()
    parts = [b"planted-name-%d|" % n * 7_000 for n in range(9)]
    for part in parts:
        aside.write(part)
    aside._file.seek(0)  # noqa: SLF001 (what lies on the disk is the point)
    assert b"planted" not in aside._file.read()  # noqa: SLF001
    assert b"".join([piece async for piece in aside.read()]) == b"".join(parts)
    assert len(b"".join(parts)) > 3 * PIECE


async def test_an_export_that_fails_leaves_nothing_open(
    room: Room, owner: asyncpg.Connection
) -> None:
    """A seal that does not open ends it before the first byte, and nothing is noted as done."""
    student = await a_student(room.students)
    await owner.execute("UPDATE students SET email = '\\x00'")
    with pytest.raises(Exception, match=r"students\|email"):
        await room.exporting.export(SYSTEM, student.id, WHY)
    assert await scalar(room.database, NOTED) == 0
    async with room.database.transaction(SYSTEM) as tx:
        await tx.session.execute(text("SELECT 1"))
