"""What the tests of notifications stand on: the room with real rooms below it, and its ways out."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text

from doorway import ADMINISTRATOR_KEY, PEPPERS, an_audit
from factories import a_grant
from student_hub.access.service import Access
from student_hub.notifications.addressing import Addressing
from student_hub.notifications.channel import Channel
from student_hub.notifications.figures import NotificationFigures
from student_hub.notifications.jobs import notification_handlers
from student_hub.notifications.outbox import Outbox
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.schemas import (
    ChannelName,
    Notice,
    Notification,
    NotificationFilter,
    Recipient,
    Template,
)
from student_hub.notifications.sending import Sender
from student_hub.notifications.service import Notifications
from student_hub.notifications.unsubscribing import Links
from student_hub.notifications.webhook import Webhook, problem_of
from student_hub.notifications.wishes import Wishes
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.students.consents import Consents
from student_hub.students.service import Students

ROOT = "https://hub.example.org"
EVERYBODY = frozenset(Recipient)
NOON = datetime(2030, 11, 28, 3, 0, tzinfo=UTC)
"""Noon in Seoul: nobody sleeps. To PostgreSQL it lies ahead, so that what waits is not due."""
TICK = timedelta(microseconds=1)


class Room:
    """The services of the room and of those below it; `now` is what the clock says."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        channels: Mapping[ChannelName, Channel] | None = None,
        *,
        quiet: str = "21:00-08:00 Asia/Seoul",
        lease_s: float = 15.0,
    ) -> None:
        self.now = NOON
        self.database = database
        self.ledger = Ledger(database, Doorbell(lambda _: None), lease=timedelta(seconds=lease_s))
        self.audit = an_audit(database)

        def clock() -> datetime:
            self.now += TICK
            return self.now

        self.students = Students(database, keyring, clock, self.audit)
        self.consents = Consents(database, self.students, self.audit, clock)
        self.access = Access(
            database, peppers=PEPPERS, audit=self.audit, administrator_key=ADMINISTRATOR_KEY
        )
        self.metrics = Metrics()
        ways = dict(channels or {})
        hours, links = QuietHours.of(quiet), Links(keyring, ROOT)
        self.book = PreferenceBook(keyring)
        figures = NotificationFigures(self.metrics)
        addressing = Addressing(self.access, self.book, keyring, frozenset(ways))
        self.outbox = Outbox(
            self.students, self.audit, self.ledger, clock, addressing, figures, hours
        )
        base = (database, self.students, self.audit, self.ledger, clock, addressing, self.outbox)
        self.notifications = Notifications(*base, kept=timedelta(days=180))
        self.sender = Sender(*base, figures, ways, links, hours, Random(7))  # noqa: S311
        webhook = ways.get(ChannelName.WEBHOOK)
        self.wishes = Wishes(
            database,
            self.book,
            self.students,
            self.access,
            self.audit,
            clock,
            links,
            destination=lambda url: problem_of(url, private=True),
            secret_of=webhook.secret_of if isinstance(webhook, Webhook) else lambda _: None,
        )
        handlers = notification_handlers(self.notifications, self.outbox, self.sender, self.wishes)
        self.workshop = Workshop(self.ledger, handlers)

    async def notify(self, notice: Notice, caller: Caller = SYSTEM) -> int:
        async with self.database.transaction(caller) as tx:
            return await self.notifications.notify(tx, notice)

    async def work(self) -> int:
        """Does every job, whenever it is due; how many there were."""
        async with self.database.transaction(SYSTEM) as tx:
            await tx.session.execute(text("UPDATE jobs SET not_before = now()"))
        return await self.workshop.work(Queue.DEFAULT)

    async def workshop_at_once(self) -> int:
        """Does the jobs that were put to be done at once; no other is due for years."""
        return await self.workshop.work(Queue.DEFAULT)

    async def log(self, **wanted: object) -> list[Notification]:
        """The log, the oldest first."""
        found = await self.notifications.page(SYSTEM, NotificationFilter.model_validate(wanted))
        return found.notifications[::-1]

    async def only(self) -> Notification:
        """The one notification that there is."""
        (row,) = await self.log()
        return row


def a_notice(student_id: UUID, **fields: object) -> Notice:
    """Something to tell, of an event of its own."""
    base: dict[str, object] = {
        "event": f"intervention-created:INT_{uuid4().hex}",
        "template": Template.INTERVENTION_CREATED,
        "student_id": student_id,
        "recipients": frozenset({Recipient.PARENTS}),
        "facts": {"concepts": ["이차함수"], "duration_days": 14, "steps": 6},
    }
    return Notice.model_validate({**base, **fields})


def family(**wishes: str) -> dict[str, object]:
    """A student's fields whose parents wish to be reached so."""
    return {"metadata": {"parent_preferences": wishes}}


def by_mail(address: str = "parent@example.kr", **wishes: str) -> dict[str, object]:
    """The same, for parents who want mail."""
    wished = {"notification_method": "email", **wishes}
    return {"parent_contact": address, **family(**wished)}


async def a_reader(
    owner: asyncpg.Connection, role: Role, subject: str, relation: str, **place: object
) -> Caller:
    """Somebody with a grant, as they come in by a door."""
    await a_grant(owner, subject, relation=relation, **place)  # type: ignore[arg-type]
    labels = {"student": f"student:{place.get('student_id')}"}
    class_of = f"class:{place.get('school_id')}:{place.get('grade')}:{place.get('class_name')}"
    label = labels.get(str(place["kind"]), class_of)
    return Caller(subject, frozenset({Scope.READ}), role, frozenset({label}))
