"""A message goes out: looked up and put into words, noted, handed over, noted again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.notifications import repository
from student_hub.notifications.addressing import Addressing, family_of, quiet_of
from student_hub.notifications.channel import Channel, Message, Outcome, Result
from student_hub.notifications.figures import NotificationFigures
from student_hub.notifications.messages import SendNotification
from student_hub.notifications.outbox import BY_JOB, COLLECTED, Outbox
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.rendering import Reading, words_of
from student_hub.notifications.repository import Begun
from student_hub.notifications.schemas import (
    Category,
    ChannelName,
    Kept,
    Notification,
    Preferences,
    State,
    category_of,
)
from student_hub.notifications.unsubscribing import Links
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect, Run
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.schemas import Student
from student_hub.students.service import Students

WAITS = tuple(timedelta(minutes=minutes) for minutes in (2, 15, 60, 300, 1_020))
"""Before the second to the sixth try: a little over 23 hours in all."""
MOST_TRIES = len(WAITS) + 1
NOT_CONFIGURED = "not_configured"
NOT_SEEN = "not_seen_any_more"
NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it can be sent now; or a reason why it cannot, or a later time."""

    row: Notification
    student: Student
    message: Message | None = None
    held: str | None = None
    later: datetime | None = None


class Sender:
    """Sends one message a job. What a channel cannot tell apart is never handed over twice."""

    def __init__(
        self,
        db: Database,
        students: Students,
        audit: Audit,
        ledger: Ledger,
        clock: Clock,
        addressing: Addressing,
        outbox: Outbox,
        figures: NotificationFigures,
        channels: Mapping[ChannelName, Channel],
        links: Links,
        quiet: QuietHours | None,
        random: Random | None = None,
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._ledger = ledger
        self._clock = clock
        self._addressing = addressing
        self._outbox = outbox
        self._figures = figures
        self._channels = channels
        self._links = links
        self._quiet = quiet
        self._random = random or Random()  # noqa: S311 (spreads load)

    async def send(self, job: SendNotification, run: Run) -> Effect | None:
        """What became of the message, written with the job's end."""
        async with self._db.transaction(SYSTEM) as tx:
            draft = await self._draft(tx, job.notification_id)
        if draft is None:
            return None
        if draft.message is None:
            return self._not_now(draft)
        channel = self._channels[draft.row.channel]
        begun: list[Begun] = []

        async def begin(tx: Transaction) -> None:
            found = await repository.begin(tx, draft.row.id, repeatable=channel.repeatable)
            begun[:] = [found]

        await run.keep(begin)
        if begun == [Begun.UNKNOWN]:
            self._figures.observe(draft.row.channel, State.UNKNOWN)
        if begun != [Begun.GO]:
            return None
        return self._settled(draft, await channel.send(draft.message))

    async def _draft(self, tx: Transaction, notification_id: UUID) -> Draft | None:
        row = await repository.one(tx, notification_id)
        notice = await repository.notice_of(tx, notification_id)
        if row is None or notice is None or row.state not in {State.PENDING, State.SENDING}:
            return None
        student = await self._students.require(tx, row.student_id)
        closed = (await self._students.not_open(tx, [student.id])).get(student.id)
        if closed is not None:
            return Draft(row, student, held=closed.value)
        if row.subject and not await self._addressing.still_sees(tx, student, row.subject):
            return Draft(row, student, held=NOT_SEEN)
        wishes = await self._addressing.preferences(tx, row.subject)
        to = student.parent_contact
        if row.recipient != family_of(student):
            to = self._addressing.address(student, row.reader, wishes, row.channel)
        if to is None or row.channel not in self._channels:
            return Draft(row, student, held=NO_ADDRESS if to is None else NOT_CONFIGURED)
        quiet, now = quiet_of(wishes.quiet_hours, self._quiet), self._clock()
        later = now if quiet is None or notice.critical else quiet.next_time(now)
        if later > now and row.state is State.PENDING:
            return Draft(row, student, later=later)
        count = 1 + len(await repository.collected(tx, row, COLLECTED))
        return Draft(row, student, self._message(row, notice, student, wishes, to, count))

    def _message(
        self,
        row: Notification,
        notice: Kept,
        student: Student,
        wishes: Preferences,
        to: str,
        count: int,
    ) -> Message:
        report = category_of(row.template) is Category.REPORTS
        unsubscribe = self._links.link(row.id) if report else None
        link = f"{self._links.root}/"
        reading = Reading(row.reader, row.channel, wishes.language, link, unsubscribe, count)
        words = words_of(notice, student, reading)
        data: dict[str, object] = {
            "timestamp": row.created_at.isoformat(),
            "data": {
                "notification_id": str(row.id),
                "student_id": str(row.student_id),
                "event": row.event,
                "title": words.title,
                "link": link,
            },
        }
        return Message(
            id=row.id,
            to=to,
            recipient=row.recipient,
            title=words.title,
            text=words.text,
            html=words.html,
            kind=f"student_hub.{row.template.value}",
            data=data,
            unsubscribe=unsubscribe,
        )

    def _not_now(self, draft: Draft) -> Effect:
        """Waits for the end of the quiet hours, or is held for its reason."""

        async def effect(tx: Transaction) -> None:
            row = await repository.hold(tx, draft.row.id)
            if row is None or row.state not in {State.PENDING, State.SENDING}:
                return
            if draft.later is not None:
                await self._again(tx, row, draft.later)
            elif row.state is State.SENDING:
                await self._end(tx, row, State.UNKNOWN, "broke_off")
            else:
                await self._end(tx, row, State.HELD, draft.held)

        return effect

    def _settled(self, draft: Draft, result: Result) -> Effect:
        async def effect(tx: Transaction) -> None:
            row = await repository.hold(tx, draft.row.id)
            if row is None or row.state is not State.SENDING:
                return
            match result.outcome:
                case Outcome.ACCEPTED:
                    await self._accepted(tx, row, result)
                case Outcome.TEMPORARY if row.tries < MOST_TRIES:
                    await self._again(tx, row, self._next_try(row), result.reason)
                case Outcome.TEMPORARY:
                    await self._end(tx, row, State.DEAD, result.reason)
                case Outcome.PERMANENT:
                    await self._refused(tx, row, draft.student, result)
                case Outcome.UNKNOWN:
                    await self._end(tx, row, State.UNKNOWN, result.reason)

        return effect

    async def _accepted(self, tx: Transaction, row: Notification, result: Result) -> None:
        now = self._clock()
        await self._end(tx, row, State.SENT, None, sent_at=now, provider_id=result.provider_id)
        for other in await repository.collected(tx, row, COLLECTED):
            await repository.change(tx, other, state=State.SENT, sent_at=now)
        detail: dict[str, int | str] = {"notification": str(row.id), "channel": row.channel.value}
        action, about = Action.NOTIFICATION_SEND, [row.student_id]
        await self._audit.note(tx, BY_JOB, action, about, detail=detail)

    async def _refused(
        self, tx: Transaction, row: Notification, student: Student, result: Result
    ) -> None:
        await self._end(tx, row, State.FAILED, result.reason)
        if result.bad_address:
            subject = None if row.recipient == family_of(student) else row.subject
            await self._addressing.mark_bad(tx, student, subject, row.channel, self._clock())
        await self._outbox.instead(tx, row, student)

    async def _again(
        self, tx: Transaction, row: Notification, at: datetime, reason: str | None = None
    ) -> None:
        values = {"state": State.PENDING, "due_at": at, "reason": reason}
        await repository.change(tx, row.id, **values)
        await self._ledger.put(tx, SendNotification(notification_id=row.id), at=at)

    async def _end(
        self, tx: Transaction, row: Notification, state: State, reason: str | None, **more: object
    ) -> None:
        await repository.change(tx, row.id, state=state, reason=reason, **more)
        lag = (self._clock() - row.due_at).total_seconds() if state is State.SENT else None

        async def count() -> None:
            self._figures.observe(row.channel, state, lag)

        tx.after_commit(count)

    def _next_try(self, row: Notification) -> datetime:
        return self._clock() + WAITS[row.tries - 1] * self._random.uniform(0.8, 1.0)
