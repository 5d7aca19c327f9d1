"""Mail by a real SMTP server: what arrives, and what becomes of each way to fail."""

from datetime import timedelta
from random import Random

import asyncpg
import pytest

from factories import a_student
from fakes.mailserver import ACCEPT, CUT, LATER, REFUSE, Sink
from notification_stage import ROOT, Room, a_notice, a_reader, by_mail
from student_hub.notifications.channel import Message, Outcome
from student_hub.notifications.errors import NotificationNotOpen
from student_hub.notifications.mail import LONGEST_SUBJECT, Mail
from student_hub.notifications.schemas import State, Template
from student_hub.notifications.sending import MOST_TRIES
from student_hub.notifications.servers import MailServer
from student_hub.platform.clock import utc_now
from student_hub.platform.ids import new_id
from student_hub.platform.security.caller import SYSTEM, Role

pytestmark = pytest.mark.requirement("mail")
LONG = " ".join(["이차함수 그래프와 최댓값 최솟값에 관한 새 학습 계획이 도착하였습니다"] * 2)
WORDS = (
    "학습",
    "계획이",
    "새",
    "14일",
    "plan",
    "A반",
    "(이차함수)",
    "-",
    "안내",
    "[허브]",
    "weekly",
)


def a_mail(sink: Sink) -> Mail:
    return Mail(MailServer.of(sink.url), "hub@school.example", utc_now)


def a_message(**fields: object) -> Message:
    base: dict[str, object] = {
        "id": new_id(utc_now()),
        "to": "parent@example.kr",
        "recipient": "parents of somebody",
        "title": "안내",
        "text": "본문",
        "html": "<p>본문</p>",
        "kind": "student_hub.test",
        "data": {},
    }
    return Message(**{**base, **fields})  # type: ignore[arg-type]


async def test_long_korean_subjects_arrive_letter_by_letter(sink: Sink) -> None:
    """No blank is lost, which the library's usual folding does on Python 3.11 and 3.12."""
    mail, random = a_mail(sink), Random(7)  # noqa: S311
    titles = [LONG, *(" ".join(random.choices(WORDS, k=random.randint(5, 25))) for _ in range(40))]
    for title in titles:
        result = await mail.send(a_message(title=title, text=f"{title}\n{title}"))
        assert result.outcome is Outcome.ACCEPTED
    for title, came in zip(titles, sink.mails, strict=True):
        assert came["Subject"] == title[:LONGEST_SUBJECT].strip()
        body = came.get_body(("plain",))
        assert body is not None
        assert body.get_content().splitlines() == [title, title]


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\0"])
async def test_no_text_breaks_out_of_its_header(sink: Sink, sign: str) -> None:
    """A line break in a title or an address makes neither a header nor another recipient."""
    evil = f"안내{sign}Bcc: thief@example.com{sign}{sign}<script>"
    await a_mail(sink).send(a_message(title=evil))
    refused = await a_mail(sink).send(a_message(to=f"a@b.kr{sign}RCPT TO:<thief@example.com>"))
    assert (refused.outcome, refused.bad_address) == (Outcome.PERMANENT, True)
    ((recipients, _),), (mail,) = sink.kept, sink.mails
    assert recipients == ["parent@example.kr"]
    assert mail["Bcc"] is None
    assert "thief@example.com" in mail["Subject"]


async def test_a_students_name_is_text_in_every_form(room: Room, sink: Sink) -> None:
    """Markup in a name is shown as it is written, and template signs are no template."""
    student = await a_student(room.students, name="<b>{{ 7*7 }}</b>", **by_mail())
    await room.notify(a_notice(student.id))
    await room.work()
    (mail,) = sink.mails
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "<b>{{ 7*7 }}</b>" in plain.get_content()
    assert "&lt;b&gt;{{ 7*7 }}&lt;/b&gt;" in page.get_content()


async def test_a_mail_to_parents_tells_no_score(room: Room, sink: Sink) -> None:
    """Phones and addresses are shared: that something is there, and where to look."""
    student = await a_student(room.students, **by_mail())
    facts = {"mastery_before": 0.41, "mastery_now": 0.73, "completed": 3, "total": 8}
    await room.notify(a_notice(student.id, template=Template.PROGRESS_CHECKED, facts=facts))
    await room.work()
    (mail,) = sink.mails
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "8단계 중 3단계" in text
    assert f"{ROOT}/" in text
    assert not any(figure in text for figure in ("41", "73", "0.4", "0.7"))


async def test_the_message_id_is_the_rows_and_reports_can_be_ended_with_a_click(
    room: Room, sink: Sink
) -> None:
    """RFC 8058: the link in the header, and that one click is enough."""
    student = await a_student(room.students, **by_mail())
    await room.notify(a_notice(student.id, template=Template.REPORT_READY))
    await room.work()
    row, (mail,) = await room.only(), sink.mails
    assert mail["Message-ID"] == f"<{row.id}@school.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{ROOT}/unsubscribe?token=")
    await room.wishes.unsubscribe(link.partition("token=")[2])
    await room.notify(a_notice(student.id, template=Template.REPORT_READY))
    await room.notify(a_notice(student.id))
    await room.work()
    assert [str(mail["Subject"]) for mail in sink.mails] == [
        "새 학습 보고서 안내",
        "새 학습 계획 안내",
    ]


async def test_what_is_refused_for_now_is_tried_six_times_within_a_day(
    room: Room, sink: Sink
) -> None:
    """Later each time; then it is dead, and a person may have it sent again."""
    student = await a_student(room.students, **by_mail())
    sink.mode, began = LATER, room.now
    await room.notify(a_notice(student.id, critical=True))
    row = await room.only()
    while await room.work():
        row = await room.only()
        if row.state is State.PENDING:
            assert row.due_at > room.now
            room.now = row.due_at
    assert (row.state, row.tries, row.reason) == (State.DEAD, MOST_TRIES, "recipient_451")
    assert timedelta(hours=18) < room.now - began < timedelta(hours=24)
    sink.mode = ACCEPT
    await room.notifications.retry(SYSTEM, row.id)
    await room.work()
    assert ((await room.only()).state, len(sink.kept)) == (State.SENT, 1)


async def test_a_server_that_comes_back_gets_the_mail(room: Room, sink: Sink) -> None:
    """One mail in the end, however often it was tried."""
    student = await a_student(room.students, **by_mail())
    sink.mode = LATER
    await room.notify(a_notice(student.id))
    await room.work()
    sink.mode = ACCEPT
    await room.work()
    row = await room.only()
    assert (row.state, row.tries, row.provider_id) == (State.SENT, 2, "Q1")
    assert len(sink.kept) == 1


async def test_a_bounce_marks_the_address_and_goes_on_by_the_inbox(
    room: Room, owner: asyncpg.Connection, sink: Sink
) -> None:
    """The next message does not try it any more; a new address is tried again."""
    student = await a_student(room.students, **by_mail())
    await a_reader(owner, Role.PARENT, "mum", "mother", kind="student", student_id=student.id)
    sink.mode = REFUSE
    await room.notify(a_notice(student.id))
    await room.work()
    failed, instead = [row for row in await room.log() if row.reader == "parents"]
    assert (failed.state, failed.reason) == (State.FAILED, "recipient_550")
    assert (instead.recipient, instead.channel, instead.state) == ("mum", "in_app", State.SENT)
    assert b"parent@example.kr" not in await owner.fetchval("SELECT fingerprint FROM bad_addresses")
    sink.mode = ACCEPT
    await room.notify(a_notice(student.id))
    await room.work()
    assert sink.kept == []


async def test_a_line_that_breaks_after_the_data_leaves_it_to_a_person(
    room: Room, sink: Sink
) -> None:
    """The server had the mail: a second one would be twice, so nobody sends it unasked."""
    student = await a_student(room.students, **by_mail())
    sink.mode = CUT
    await room.notify(a_notice(student.id))
    await room.work()
    row = await room.only()
    assert (row.state, len(sink.kept)) == (State.UNKNOWN, 1)
    assert await room.work() == 0
    resolved = await room.notifications.resolve(SYSTEM, row.id, sent=True)
    assert resolved.state is State.SENT
    with pytest.raises(NotificationNotOpen):
        await room.notifications.retry(SYSTEM, row.id)


async def test_a_server_that_is_away_costs_a_try_and_nothing_else(room: Room, sink: Sink) -> None:
    """Nothing was handed over, so that it may be tried again."""
    gone = Mail(MailServer.of("smtp://127.0.0.1:1"), "hub@school.example", utc_now)
    result = await gone.send(a_message())
    assert (result.outcome, result.reason) == (Outcome.TEMPORARY, "server_away")
    assert (await room.log(), sink.kept) == ([], [])


@pytest.mark.parametrize(
    "url",
    ["http://mail", "smtp://", "smtp://h:x", "smtp://u:p@mail.example.org", "mail.example.org"],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    """A password never goes over the net in clear."""
    with pytest.raises(ValueError, match="SMTP_URL") as caught:
        MailServer.of(url)
    assert "u:p" not in str(caught.value)
