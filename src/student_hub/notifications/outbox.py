"""The outbox: messages are written in the transaction that has something to tell."""

from datetime import datetime
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.notifications import repository
from student_hub.notifications.addressing import (
    Addressee,
    Addressing,
    Reached,
    family_of,
    quiet_of,
)
from student_hub.notifications.figures import NotificationFigures
from student_hub.notifications.messages import AddressNotice, SendNotification
from student_hub.notifications.quiet import SEOUL, QuietHours, next_digest
from student_hub.notifications.schemas import (
    ChannelName,
    Kept,
    Notice,
    Notification,
    Recipient,
    State,
    Template,
)
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Transaction
from student_hub.platform.ids import new_id
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Door, Origin
from student_hub.students.schemas import Student
from student_hub.students.service import Students

COLLECTED = "collected"
NOBODY = "nobody_to_reach"
BAD_CONTACT = "bad_contact"
BY_JOB = Caller(SYSTEM.subject, SYSTEM.scopes, SYSTEM.role, origin=Origin(Door.JOB))


class Outbox:
    """Writes messages and asks for their sending; every method is part of the caller's work."""

    def __init__(
        self,
        students: Students,
        audit: Audit,
        ledger: Ledger,
        clock: Clock,
        addressing: Addressing,
        figures: NotificationFigures,
        quiet: QuietHours | None,
    ) -> None:
        self._students = students
        self._audit = audit
        self._ledger = ledger
        self._clock = clock
        self._addressing = addressing
        self._figures = figures
        self._quiet = quiet

    async def notify(self, tx: Transaction, notice: Notice) -> int:
        """How many messages are new: one for each recipient and channel, 0 for a known event.

        They go out after the commit. In a transaction that does not see every grant nobody can be
        found: there a job does it, and the answer is 1.
        """
        notice_id = new_id(self._clock())
        if not await repository.add_notice(tx, notice_id, notice, self._clock()):
            return 0
        if tx.sees_all:
            return await self.address(tx, notice_id)
        await self._ledger.put(tx, AddressNotice(notice_id=notice_id))
        return 1

    async def address(self, tx: Transaction, notice_id: UUID) -> int:
        """Writes the messages of a notice, those that are not there; how many. Sees all."""
        notice = await repository.notice(tx, notice_id)
        if notice is None:
            return 0
        student = await self._students.require(tx, notice.student_id)
        reached = await self._addressing.reach(tx, notice, student)
        closed = (await self._students.not_open(tx, [student.id])).get(student.id)
        if closed is not None:
            return await self._write(tx, notice, reached, closed.value)
        if reached.gap is not None:
            await self._tell_of_gap(tx, student, *reached.gap)
        return await self._write(tx, notice, reached)

    async def instead(self, tx: Transaction, row: Notification, student: Student) -> None:
        """The next way, when one has failed for good; a teacher hears of a family's."""
        notice = await repository.notice_of(tx, row.id)
        if notice is None:
            return
        if row.recipient == family_of(student):
            reached = await self._addressing.instead(tx, student, row.reader)
            await self._tell_of_gap(tx, student, row.channel.value, BAD_CONTACT)
        else:
            inbox = Addressee(row.reader, row.recipient, ChannelName.IN_APP, row.recipient)
            reached = Reached([inbox])
        await self._write(tx, notice, reached)

    async def _write(
        self, tx: Transaction, notice: Kept, reached: Reached, held: str | None = None
    ) -> int:
        rows = [await self._row(tx, notice, each, held) for each in reached.addressees]
        rows += [self._held(notice, _nobody(reader, notice), NOBODY) for reader in reached.nobody]
        stored = await repository.add(tx, rows)
        new = [row for row in rows if row["id"] in stored]
        for row in new:
            await self._follow(tx, row)
        in_app = sum(row["state"] == State.SENT.value for row in new)
        if in_app:
            detail: dict[str, int | str] = {"notice": str(notice.id), "in_app": in_app}
            student = [notice.student_id]
            await self._audit.note(tx, BY_JOB, Action.NOTIFICATION_SEND, student, detail=detail)
        return len(new)

    async def _row(
        self, tx: Transaction, notice: Kept, to: Addressee, held: str | None
    ) -> dict[str, object]:
        if held is not None:
            return self._held(notice, to, held)
        now = self._clock()
        row = _new_row(notice, to, now)
        if to.channel is ChannelName.IN_APP:
            return {**row, "state": State.SENT.value, "sent_at": now}
        if to.digest is not None:
            student, template = notice.student_id, notice.template.value
            if await repository.digest_waits(tx, to.name, template, student):
                return self._held(notice, to, COLLECTED)
        return {**row, "due_at": self._due(notice, to, now)}

    def _due(self, notice: Kept, to: Addressee, now: datetime) -> datetime:
        quiet = quiet_of(to.quiet, self._quiet)
        zone = quiet.zone if quiet is not None else SEOUL
        due = now if to.digest is None else next_digest(now, to.digest, zone)
        return due if quiet is None or notice.critical else quiet.next_time(due)

    def _held(self, notice: Kept, to: Addressee, why: str) -> dict[str, object]:
        row = _new_row(notice, to, self._clock())
        return {**row, "state": State.HELD.value, "reason": why}

    async def _follow(self, tx: Transaction, row: dict[str, object]) -> None:
        channel, state = ChannelName(str(row["channel"])), State(str(row["state"]))
        if state is State.PENDING:
            job = SendNotification(notification_id=UUID(str(row["id"])))
            due = row["due_at"] if row["due_at"] != row["created_at"] else None
            await self._ledger.put(tx, job, at=due if isinstance(due, datetime) else None)
            return

        async def count() -> None:
            self._figures.observe(channel, state, 0.0 if state is State.SENT else None)

        tx.after_commit(count)

    async def _tell_of_gap(self, tx: Transaction, student: Student, method: str, why: str) -> None:
        """The teacher is told once that the family cannot be reached as it wishes."""
        about = Notice(
            event=f"contact-missing:{student.id}:{method}:{why}",
            template=Template.CONTACT_MISSING,
            student_id=student.id,
            recipients=frozenset({Recipient.TEACHER}),
            facts={"channel": method, "reason": why},
        )
        await self.notify(tx, about)


def _nobody(reader: Recipient, notice: Kept) -> Addressee:
    """Stands in the log for the readers whom nobody has been made."""
    return Addressee(reader, f"{reader.value} of {notice.student_id}", ChannelName.IN_APP)


def _new_row(notice: Kept, to: Addressee, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(now),
        "notice_id": notice.id,
        "student_id": notice.student_id,
        "reader": to.reader.value,
        "recipient": to.name,
        "subject": to.subject,
        "channel": to.channel.value,
        "state": State.PENDING.value,
        "reason": None,
        "created_at": now,
        "due_at": now,
        "sent_at": None,
    }
