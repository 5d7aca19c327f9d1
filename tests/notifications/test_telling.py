"""Who is told what, by which way, and never twice."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from factories import a_student, take_away
from fakes.mailserver import ACCEPT, REFUSE, Sink
from notification_stage import EVERYBODY, Room, a_notice, a_reader, by_mail, family
from student_hub.access.audit.schemas import Action
from student_hub.notifications.schemas import (
    ChannelName,
    Notification,
    PreferencesIn,
    Recipient,
    State,
    Template,
)
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.schemas import ProcessingIn
from student_hub.students.schemas import State as Processing

pytestmark = pytest.mark.requirement("notify-once")
CLASS = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
AUDITED = "SELECT count(*) FROM audit_inbox WHERE action = $1"


def told(rows: list[Notification]) -> set[tuple[str, str, str]]:
    return {(row.reader.value, row.recipient, row.channel.value) for row in rows}


async def test_a_thousand_notifies_of_one_event_are_one_mail(room: Room, sink: Sink) -> None:
    """At once and one after another; the log has one row, the ledger had one job."""
    student = await a_student(room.students, **by_mail())
    notice = a_notice(student.id)
    for _ in range(100):
        counts = await asyncio.gather(*(room.notify(notice) for _ in range(10)))
        assert sum(counts) <= 1
    await room.work()
    assert len(sink.kept) == 1
    assert (await room.only()).state is State.SENT
    assert await room.work() == 0


async def test_each_reader_is_told_in_their_own_place(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """The student and the homeroom teacher in the hub, the parents by mail as they wished."""
    student = await a_student(room.students, **by_mail())
    mine = {"kind": "student", "student_id": student.id}
    await a_reader(owner, Role.STUDENT, "pupil", "self", **mine)
    await a_reader(owner, Role.PARENT, "mum", "mother", **mine)
    await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    await a_reader(owner, Role.TEACHER, "maths", "subject", **CLASS)
    assert await room.notify(a_notice(student.id, recipients=EVERYBODY)) == 3
    await room.work()
    parents = f"parents of {student.id}"
    assert told(await room.log()) == {
        ("student", "pupil", "in_app"),
        ("teacher", "homeroom", "in_app"),
        ("parents", parents, "email"),
    }
    assert [to for to, _ in sink.kept] == [["parent@example.kr"]]


async def test_without_a_homeroom_teacher_every_teacher_of_the_class_is_told(
    room: Room, owner: asyncpg.Connection
) -> None:
    """But not who sees the whole school for another reason."""
    student = await a_student(room.students)
    await a_reader(owner, Role.TEACHER, "maths", "subject", **CLASS)
    await a_reader(owner, Role.TEACHER, "head", "head", kind="school", school_id="SCH001")
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    assert told(await room.log()) == {("teacher", "maths", "in_app")}


@pytest.mark.parametrize("method", ["kakao", "sms", "webhook", "email"])
async def test_a_way_that_is_not_to_be_had_becomes_the_inbox_and_one_teacher_hears_once(
    room: Room, owner: asyncpg.Connection, method: str
) -> None:
    """Not configured, or without a contact that fits it."""
    student = await a_student(room.students, **family(notification_method=method))
    mine = {"kind": "student", "student_id": student.id}
    await a_reader(owner, Role.PARENT, "dad", "father", **mine)
    await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    for _ in range(3):
        await room.notify(a_notice(student.id))
    rows = await room.log()
    missing = [row for row in rows if row.template is Template.CONTACT_MISSING]
    assert told(missing) == {("teacher", "homeroom", "in_app")}
    assert len(missing) == 1
    assert told([row for row in rows if row not in missing]) == {("parents", "dad", "in_app")}


async def test_parents_who_want_nothing_get_nothing(room: Room, owner: asyncpg.Connection) -> None:
    """Not even in the hub."""
    student = await a_student(room.students, **family(notification_method="none"))
    await a_reader(owner, Role.PARENT, "mum", "mother", kind="student", student_id=student.id)
    assert await room.notify(a_notice(student.id)) == 0
    assert await room.log() == []


async def test_that_nobody_is_there_stands_in_the_log(room: Room) -> None:
    """A student without a teacher and a family without a credential: held, with the reason."""
    student = await a_student(room.students)
    await room.notify(a_notice(student.id))
    row = await room.only()
    assert (row.state, row.reason) == (State.HELD, "nobody_to_reach")


@pytest.mark.requirement("processing-stopped")
async def test_of_a_stopped_student_nobody_hears_and_the_log_says_why(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """Neither when it is told nor when it was told before and is still to be sent."""
    student = await a_student(room.students, **by_mail())
    await a_reader(owner, Role.STUDENT, "pupil", "self", kind="student", student_id=student.id)
    await room.notify(a_notice(student.id))
    stop = ProcessingIn(state=Processing.STOPPED, reason="asked for")
    await room.consents.set_processing(SYSTEM, student.id, stop)
    await room.work()
    await room.notify(a_notice(student.id, recipients=EVERYBODY))
    await room.work()
    rows = await room.log()
    assert len(rows) >= 3
    assert {row.state for row in rows} == {State.HELD}
    assert {row.reason for row in rows} <= {"stopped", "nobody_to_reach"}
    assert sink.kept == []


async def test_a_teacher_may_tell_though_they_see_no_grant_of_others(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """Their transaction cannot find anybody: a job of it does."""
    student = await a_student(room.students, **by_mail())
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    notice = a_notice(student.id)
    assert await room.notify(notice, teacher) == 1
    assert await room.notify(notice, teacher) == 0
    await room.work()
    assert len(sink.kept) == 1


async def test_what_was_undone_is_told_to_nobody(room: Room, sink: Sink) -> None:
    """The messages are part of the transaction that has something to tell."""
    student = await a_student(room.students, **by_mail())

    async def broken_off() -> None:
        async with room.database.transaction(SYSTEM) as tx:
            await room.notifications.notify(tx, a_notice(student.id))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken_off()
    await room.work()
    assert (await room.log(), sink.kept) == ([], [])


async def test_preferences_choose_ways_by_category(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """Plans by mail in English, alerts nowhere, reports as ever in the hub."""
    student = await a_student(room.students)
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    wanted = {"language": "en", "email": "t@school.example"}
    channels = {"plans": ["email", "in_app"], "alerts": []}
    asked = PreferencesIn.model_validate({**wanted, "channels": channels, "quiet_hours": "off"})
    await room.wishes.store(teacher, asked)
    teachers = frozenset({Recipient.TEACHER})
    for template in (Template.INTERVENTION_CREATED, Template.ALERT_OPENED, Template.REPORT_READY):
        await room.notify(a_notice(student.id, template=template, recipients=teachers))
    await room.work()
    assert [(row.template, row.channel) for row in await room.log()] == [
        (Template.INTERVENTION_CREATED, ChannelName.EMAIL),
        (Template.INTERVENTION_CREATED, ChannelName.IN_APP),
        (Template.REPORT_READY, ChannelName.IN_APP),
    ]
    (mail,) = sink.mails
    assert mail["Subject"] == "A new learning plan"
    assert mail["To"] == "t@school.example"


async def test_a_student_may_want_mail_at_the_schools_address(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """Their own address of the register is used where they name none."""
    student = await a_student(room.students, email="pupil@school.example")
    mine = {"kind": "student", "student_id": student.id}
    pupil = await a_reader(owner, Role.STUDENT, "pupil", "self", **mine)
    await room.wishes.store(pupil, PreferencesIn.model_validate({"channels": {"plans": ["email"]}}))
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.STUDENT})))
    await room.work()
    assert [to for to, _ in sink.kept] == [["pupil@school.example"]]


async def test_who_lost_the_grant_meanwhile_gets_no_mail(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """Asked again when it is sent: a message of the night is read in the morning."""
    student = await a_student(room.students)
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    wanted = {"email": "t@school.example", "channels": {"plans": ["email"]}}
    await room.wishes.store(teacher, PreferencesIn.model_validate(wanted))
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    await owner.execute("UPDATE grants SET revoked_at = now()")
    await room.work()
    row = await room.only()
    assert (row.state, row.reason, sink.kept) == (State.HELD, "not_seen_any_more", [])


async def test_reports_are_collected_as_the_family_wishes(room: Room, sink: Sink) -> None:
    """Three in a week are one mail on Monday at eight, which says how many; none is none."""
    weekly = await a_student(room.students, **by_mail(report_frequency="weekly"))
    never = await a_student(room.students, **by_mail(report_frequency="none"))
    for student in (weekly, never):
        for _ in range(3):
            await room.notify(a_notice(student.id, template=Template.REPORT_READY))
    first = (await room.log(student_id=weekly.id))[0]
    assert first.due_at.isoformat() == "2030-12-01T23:00:00+00:00"
    room.now = first.due_at
    await room.work()
    (mail,) = sink.mails
    body = mail.get_body(("plain",))
    assert body is not None
    assert "모두 3건" in body.get_content()
    assert {row.state for row in await room.log()} == {State.SENT}


async def test_every_message_is_in_the_audit_log_without_its_words(
    room: Room, owner: asyncpg.Connection
) -> None:
    """One entry for each mail, one for the inboxes of a notice."""
    student = await a_student(room.students, **by_mail())
    await a_reader(owner, Role.STUDENT, "pupil", "self", kind="student", student_id=student.id)
    await room.notify(a_notice(student.id, recipients=EVERYBODY))
    await room.work()
    assert await owner.fetchval(AUDITED, Action.NOTIFICATION_SEND.value) == 2


@pytest.mark.requirement("metrics")
async def test_messages_are_counted_by_channel_and_end_with_their_lag(
    room: Room, sink: Sink
) -> None:
    """By the process that sends them; a refused one is counted as that."""
    student = await a_student(room.students, **by_mail())
    for mode in (ACCEPT, REFUSE):
        sink.mode = mode
        await room.notify(a_notice(student.id))
        await room.work()
    told = room.metrics.text().decode()
    assert 'notifications_total{channel="email",state="sent"} 1.0' in told
    assert 'notifications_total{channel="email",state="failed"} 1.0' in told
    assert 'notification_lag_seconds_count{channel="email"} 1.0' in told


async def test_who_no_longer_has_an_address_is_not_reached_by_another(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """A mother's own mail never goes to the family's contact instead."""
    student = await a_student(room.students, parent_contact="family@example.kr")
    mine = {"kind": "student", "student_id": student.id}
    mother = await a_reader(owner, Role.PARENT, "mum", "mother", **mine)
    wanted = {"email": "mum@example.kr", "channels": {"plans": ["email"]}}
    await room.wishes.store(mother, PreferencesIn.model_validate(wanted))
    await room.notify(a_notice(student.id))
    await owner.execute("DELETE FROM notification_preferences")
    await room.work()
    row = await room.only()
    assert (row.state, row.reason, sink.kept) == (State.HELD, "no_address", [])


@pytest.mark.requirement("erasure", "export")
async def test_an_erased_student_leaves_no_message_and_an_export_has_them_all(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Messages, notices and refused addresses hang on the student."""
    student = await a_student(room.students, **by_mail())
    await room.notify(a_notice(student.id))
    async with room.database.transaction(SYSTEM) as tx:
        (kept,) = await room.notifications.of_student(tx, student.id)
    assert kept.recipient == f"parents of {student.id}"
    await take_away(room.database, room.students, student.id)
    for table in ("notices", "notifications", "bad_addresses"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert await room.work() == 1


async def test_old_messages_and_forsaken_preferences_go(
    room: Room, owner: asyncpg.Connection
) -> None:
    """After the time of the settings; preferences a day after their owner sees nobody."""
    student = await a_student(room.students)
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    stranger = Caller("nobody", frozenset({Scope.READ}), Role.TEACHER, frozenset())
    for caller in (teacher, stranger):
        await room.wishes.store(caller, PreferencesIn())
    await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    assert (await room.notifications.prune(), await room.wishes.prune()) == (0, 0)
    room.now = room.now.replace(year=2031)
    assert (await room.notifications.prune(), await room.wishes.prune()) == (1, 1)
    assert await room.log() == []
    assert await owner.fetchval("SELECT subject FROM notification_preferences") == "homeroom"


async def test_of_an_unknown_student_nothing_is_told(room: Room) -> None:
    """The foreign key says so; nothing is half done."""
    with pytest.raises(Exception, match="student"):
        await room.notify(a_notice(uuid4()))
    assert await room.log() == []
