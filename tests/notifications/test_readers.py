"""What readers see of theirs, and say of how they want to hear; what nobody else sees."""

from uuid import uuid4

import asyncpg
import pytest
from pydantic import ValidationError

from factories import a_student
from notification_stage import Room, a_notice, a_reader, by_mail
from student_hub.notifications.errors import LinkNotGood, NotificationNotFound
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.schemas import (
    Category,
    NotificationFilter,
    PreferencesIn,
    Recipient,
    Template,
)
from student_hub.notifications.unsubscribing import Links
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import SYSTEM, Caller, Role
from student_hub.platform.security.keyring import Keyring
from student_hub.students.schemas import Student

CLASS = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
ADDRESS = "t@school.example"


async def the_readers(room: Room, owner: asyncpg.Connection) -> tuple[Student, Caller, Caller]:
    """A student, their teacher and their mother, both told of a check with a score in it."""
    student = await a_student(room.students, name="김철수")
    mine = {"kind": "student", "student_id": student.id}
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    mother = await a_reader(owner, Role.PARENT, "mum", "mother", **mine)
    both = frozenset({Recipient.TEACHER, Recipient.PARENTS})
    facts = {"mastery_before": 0.41, "mastery_now": 0.73, "proposal": "extend"}
    notice = a_notice(student.id, template=Template.PROGRESS_CHECKED, recipients=both, facts=facts)
    await room.notify(notice)
    return student, teacher, mother


@pytest.mark.requirement("inbox")
async def test_each_reads_their_own_messages_in_their_language(
    room: Room, owner: asyncpg.Connection
) -> None:
    """A teacher with the score, a mother without; in English once she says so."""
    _, teacher, mother = await the_readers(room, owner)
    (for_teacher,) = (await room.notifications.inbox(teacher)).messages
    (for_mother,) = (await room.notifications.inbox(mother)).messages
    assert "김철수 (10-1반) 학생: 학습 계획의 중간 점검" in for_teacher.text
    assert "숙달도: 41% → 73%" in for_teacher.text
    assert "다음 단계 제안: 기간 연장" in for_teacher.text
    assert "김철수 학생:" in for_mother.text
    assert "%" not in for_mother.text
    await room.wishes.store(mother, PreferencesIn.model_validate({"language": "en"}))
    (again,) = (await room.notifications.inbox(mother)).messages
    assert (again.title, again.id) == ("A look at a learning plan", for_mother.id)


@pytest.mark.requirement("inbox")
async def test_a_message_is_read_by_its_reader_alone(room: Room, owner: asyncpg.Connection) -> None:
    """Another's is as if there were none, and stays unread."""
    _, teacher, mother = await the_readers(room, owner)
    (message,) = (await room.notifications.inbox(mother)).messages
    with pytest.raises(NotificationNotFound):
        await room.notifications.mark_read(teacher, message.id)
    assert (await room.notifications.inbox(mother)).unread == 1
    for _ in range(2):
        await room.notifications.mark_read(mother, message.id)
    page = await room.notifications.inbox(mother)
    assert (page.unread, page.messages[0].read_at is not None) == (0, True)
    assert (await room.notifications.inbox(mother, unread=True)).messages == []


@pytest.mark.requirement("inbox", "row-level-security")
async def test_who_sees_the_student_no_more_reads_nothing_of_them(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Also with a policy that lets everything through: PostgreSQL shows no row."""
    _, teacher, mother = await the_readers(room, owner)
    await owner.execute("UPDATE grants SET revoked_at = now() WHERE subject = 'mum'")
    assert (await room.notifications.inbox(mother)).messages == []
    async with room.database.transaction(teacher) as tx:
        rows = await room.notifications.of_student(tx, (await room.log())[0].student_id)
    assert {row.recipient for row in rows} == {"homeroom"}


@pytest.mark.requirement("inbox")
async def test_pages_of_the_inbox_and_the_log_have_every_message_once(
    room: Room, owner: asyncpg.Connection
) -> None:
    """The newest first, by cursors."""
    student, teacher, _ = await the_readers(room, owner)
    for _ in range(4):
        await room.notify(a_notice(student.id, recipients=frozenset({Recipient.TEACHER})))
    seen, cursor = [], None
    while True:
        page = await room.notifications.inbox(teacher, cursor=cursor, limit=2)
        seen += [message.id for message in page.messages]
        if page.next is None:
            break
        cursor = page.messages[-1].id
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 5
    wanted = NotificationFilter(student_id=student.id)
    first = await room.notifications.page(SYSTEM, wanted, limit=4)
    rest = await room.notifications.page(SYSTEM, wanted, cursor=first.notifications[-1].id)
    assert len(first.notifications) + len(rest.notifications) == 6


@pytest.mark.requirement("inbox")
async def test_the_log_is_for_administrators(room: Room, owner: asyncpg.Connection) -> None:
    """Reading, retrying and resolving."""
    _, teacher, _ = await the_readers(room, owner)
    for ask in (
        room.notifications.page(teacher),
        room.notifications.retry(teacher, uuid4()),
        room.notifications.resolve(teacher, uuid4(), sent=True),
    ):
        with pytest.raises(NotAllowed):
            await ask
    with pytest.raises(NotificationNotFound):
        await room.notifications.retry(SYSTEM, uuid4())


@pytest.mark.requirement("preferences", "no-personal-data-in-clear")
async def test_addresses_are_sealed_and_come_back(room: Room, owner: asyncpg.Connection) -> None:
    """Nothing of them is in the table; another row's seal does not open."""
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    wanted = PreferencesIn.model_validate({"email": ADDRESS, "channels": {"plans": ["email"]}})
    assert (await room.wishes.store(teacher, wanted)).email == ADDRESS
    assert (await room.wishes.read(teacher)).email == ADDRESS
    row = str(await owner.fetchrow("SELECT * FROM notification_preferences"))
    assert ADDRESS not in row
    assert ADDRESS.encode().hex() not in row


@pytest.mark.requirement("preferences", "key-rotation")
async def test_preferences_outlive_a_new_master_key(room: Room, owner: asyncpg.Connection) -> None:
    """They are counted under the old key, brought over, and still open; links too."""
    old, new = bytes(range(32)), bytes(range(1, 33))
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    await room.wishes.store(teacher, PreferencesIn(email=ADDRESS))
    keyring = Keyring(new, [old])
    book = PreferenceBook(keyring)
    async with room.database.transaction(SYSTEM) as tx:
        assert (await book.rewrap(tx, None, 10, patient=True))[0] == 1
        assert await book.per_key(tx) == {keyring.key_id: 1}
        fresh = PreferenceBook(Keyring(new))
        assert (await fresh.of(tx, ["homeroom"]))["homeroom"].email == ADDRESS
    about = uuid4()
    link = Links(Keyring(old), "https://hub.example.org").link(about)
    assert Links(keyring, "").read(link.partition("=")[2]) == about


@pytest.mark.requirement("preferences")
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"channels": {"plans": ["email"]}}, "email"),
        ({"channels": {"plans": ["webhook"]}}, "webhook"),
        ({"webhook": "http://10.0.0.1/hook"}, "webhook"),
        ({"quiet_hours": "at night"}, "quiet_hours"),
    ],
)
async def test_preferences_that_cannot_be_are_refused_by_field(
    room: Room, owner: asyncpg.Connection, wanted: dict[str, object], field: str
) -> None:
    """And nothing is stored."""
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    with pytest.raises(InvalidInput, match=field):
        await room.wishes.store(teacher, PreferencesIn.model_validate(wanted))
    assert await owner.fetchval("SELECT count(*) FROM notification_preferences") == 0


@pytest.mark.requirement("preferences")
@pytest.mark.parametrize(
    "wanted",
    [{"email": "no address"}, {"language": "fr"}, {"channels": {"plans": ["pigeon"]}}, {"x": 1}],
)
def test_preferences_of_an_unknown_shape_are_no_preferences(wanted: dict[str, object]) -> None:
    """Unknown values are errors when they are written."""
    with pytest.raises(ValidationError):
        PreferencesIn.model_validate(wanted)


@pytest.mark.requirement("preferences")
async def test_a_link_that_the_hub_did_not_make_ends_nothing(room: Room) -> None:
    """Neither a forged one, nor one about a message that is gone."""
    student = await a_student(room.students, **by_mail())
    await room.notify(a_notice(student.id, template=Template.REPORT_READY))
    good = Links(Keyring(bytes(range(32))), "").link((await room.only()).id).partition("=")[2]
    assert (await room.wishes.language_of(good)).value == "ko"
    strange = Links(Keyring(bytes(32)), "").link((await room.only()).id).partition("=")[2]
    for token in ("", "x", strange, good[:-2], "=" * 40, "가"):
        with pytest.raises(LinkNotGood):
            await room.wishes.unsubscribe(token)


@pytest.mark.requirement("preferences")
async def test_a_readers_link_ends_mails_about_reports_and_nothing_else(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Their other wishes stay as they were."""
    student = await a_student(room.students)
    teacher = await a_reader(owner, Role.TEACHER, "homeroom", "homeroom", **CLASS)
    channels = {"reports": ["email", "in_app"], "plans": ["email"]}
    wanted = PreferencesIn.model_validate({"email": ADDRESS, "channels": channels})
    await room.wishes.store(teacher, wanted)
    teachers = frozenset({Recipient.TEACHER})
    await room.notify(a_notice(student.id, template=Template.REPORT_READY, recipients=teachers))
    (mailed,) = await room.log(channel="email")
    link = Links(Keyring(bytes(range(32))), "").link(mailed.id)
    await room.wishes.unsubscribe(link.partition("=")[2])
    after = await room.wishes.read(teacher)
    assert after.channels_for(Category.REPORTS) == ["in_app"]
    assert after.channels_for(Category.PLANS) == ["email"]
    assert after.email == ADDRESS
