"""What rooms above tell, and what readers and operators ask."""

from datetime import timedelta
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.notifications import repository
from student_hub.notifications.addressing import Addressing
from student_hub.notifications.errors import NotificationNotFound, NotificationNotOpen
from student_hub.notifications.messages import SendNotification
from student_hub.notifications.outbox import Outbox
from student_hub.notifications.rendering import Reading, words_of
from student_hub.notifications.schemas import (
    ChannelName,
    InboxMessage,
    InboxPage,
    Kept,
    Notice,
    Notification,
    NotificationFilter,
    NotificationPage,
    Preferences,
    State,
    category_of,
)
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.students.schemas import Student
from student_hub.students.service import Students

MOST_LISTED = 200
ALL = NotificationFilter()
UNDECIDED = frozenset({State.UNKNOWN, State.FAILED, State.DEAD, State.HELD})


class Notifications:
    """The way in for rooms above (`notify`), readers (`inbox`) and operators (`page`)."""

    def __init__(
        self,
        db: Database,
        students: Students,
        audit: Audit,
        ledger: Ledger,
        clock: Clock,
        addressing: Addressing,
        outbox: Outbox,
        *,
        kept: timedelta,
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._ledger = ledger
        self._clock = clock
        self._addressing = addressing
        self._outbox = outbox
        self._kept = kept

    async def notify(self, tx: Transaction, notice: Notice) -> int:
        """How many messages are new: one for each recipient and channel, 0 for a known event.

        They go out after the commit, in the quiet hours' absence, and not at all while the
        student's data must not be processed. In a transaction that does not see every grant
        nobody can be found: there a job does it, and the answer is 1.
        """
        return await self._outbox.notify(tx, notice)

    async def inbox(
        self, caller: Caller, *, unread: bool = False, cursor: UUID | None = None, limit: int = 50
    ) -> InboxPage:
        """The caller's own messages about students whom they see, in their language."""
        caller.require(Scope.READ)
        _check(limit)
        async with self._db.transaction(caller) as tx:
            subject = caller.subject
            found = await repository.inbox(tx, subject, cursor, limit + 1, unread=unread)
            count = await repository.unread(tx, subject)
            wishes = await self._addressing.preferences(tx, subject)
            shown = [
                _message(row, notice, await self._students.see(tx, caller, row.student_id), wishes)
                for row, notice in found[:limit]
            ]
        about = sorted({message.student_id for message in shown})
        self._audit.saw(caller, Action.INBOX_READ, about)
        more = str(shown[-1].id) if len(found) > limit else None
        return InboxPage(messages=shown, unread=count, next=more)

    async def mark_read(self, caller: Caller, notification_id: UUID) -> None:
        """Notes that the caller has read it; NotificationNotFound for one that is not theirs."""
        caller.require(Scope.READ)
        with self._audit.refusals(caller, Action.INBOX_READ):
            async with self._db.transaction(caller) as tx:
                now = self._clock()
                student = await repository.mark_read(tx, caller.subject, notification_id, now)
                if student is None:
                    raise NotificationNotFound
                await self._audit.note(tx, caller, Action.INBOX_READ, [student])

    async def page(
        self,
        caller: Caller,
        wanted: NotificationFilter = ALL,
        *,
        cursor: UUID | None = None,
        limit: int = 50,
    ) -> NotificationPage:
        """The log for administrators, the newest first."""
        self._require_admin(caller, Action.NOTIFICATION_LIST)
        _check(limit)
        async with self._db.transaction(caller) as tx:
            found = await repository.page(tx, wanted, cursor, limit + 1)
        shown = found[:limit]
        about = sorted({row.student_id for row in shown})
        self._audit.saw(caller, Action.NOTIFICATION_LIST, about)
        more = str(shown[-1].id) if len(found) > limit else None
        return NotificationPage(notifications=shown, next=more)

    async def retry(self, caller: Caller, notification_id: UUID) -> Notification:
        """Sends it once more: a person has decided that twice would be no harm."""
        self._require_admin(caller, Action.NOTIFICATION_RETRY)
        async with self._db.transaction(caller) as tx:
            row = await self._undecided(tx, notification_id)
            if row.channel is ChannelName.IN_APP:
                raise NotificationNotOpen(state=row.state.value)
            await repository.change(tx, row.id, state=State.PENDING, reason=None, tries=0)
            await self._ledger.put(tx, SendNotification(notification_id=row.id))
            await self._note(tx, caller, Action.NOTIFICATION_RETRY, row)
            return await self._shown(tx, row.id)

    async def resolve(self, caller: Caller, notification_id: UUID, *, sent: bool) -> Notification:
        """Writes down what a person has found out about one that nobody could tell of."""
        self._require_admin(caller, Action.NOTIFICATION_RETRY)
        async with self._db.transaction(caller) as tx:
            row = await self._undecided(tx, notification_id)
            state = State.SENT if sent else State.FAILED
            await repository.change(tx, row.id, state=state, reason="resolved")
            await self._note(tx, caller, Action.NOTIFICATION_RETRY, row)
            return await self._shown(tx, row.id)

    async def of_student(self, tx: Transaction, student_id: UUID) -> list[Notification]:
        """Every message about the student that is still kept, the oldest first."""
        return await repository.of_student(tx, student_id)

    async def prune(self) -> int:
        """Deletes notices past their time, with their messages; how many."""
        gone, cutoff = 0, self._clock() - self._kept
        while True:
            async with self._db.transaction(SYSTEM) as tx:
                some = await repository.prune(tx, cutoff)
            gone += some
            if some < repository.PRUNED_AT_ONCE:
                return gone

    async def _undecided(self, tx: Transaction, notification_id: UUID) -> Notification:
        row = await repository.hold(tx, notification_id)
        if row is None:
            raise NotificationNotFound
        if row.state not in UNDECIDED:
            raise NotificationNotOpen(state=row.state.value)
        return row

    async def _shown(self, tx: Transaction, notification_id: UUID) -> Notification:
        row = await repository.one(tx, notification_id)
        if row is None:
            raise NotificationNotFound
        return row

    async def _note(self, tx: Transaction, by: Caller, action: Action, row: Notification) -> None:
        detail: dict[str, int | str] = {"notification": str(row.id), "channel": row.channel.value}
        await self._audit.note(tx, by, action, [row.student_id], detail=detail)

    def _require_admin(self, caller: Caller, action: Action) -> None:
        with self._audit.refusals(caller, action):
            caller.require(Scope.ADMIN)


def _message(
    row: Notification, notice: Kept, student: Student, wishes: Preferences
) -> InboxMessage:
    words = words_of(notice, student, Reading(row.reader, row.channel, wishes.language))
    return InboxMessage(
        id=row.id,
        student_id=row.student_id,
        template=row.template,
        category=category_of(row.template),
        title=words.title,
        text=words.text,
        created_at=row.created_at,
        read_at=row.read_at,
    )


def _check(limit: int) -> None:
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
