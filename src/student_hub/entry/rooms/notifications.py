"""The room of notifications: its channels by the settings, and its parts."""

from datetime import timedelta
from functools import partial

from student_hub.access.audit.service import Audit
from student_hub.access.service import Access
from student_hub.entry.context import given, local_url
from student_hub.notifications.addressing import Addressing
from student_hub.notifications.channel import Channel
from student_hub.notifications.figures import NotificationFigures
from student_hub.notifications.jobs import notification_handlers
from student_hub.notifications.mail import Mail
from student_hub.notifications.outbox import Outbox
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.schemas import ChannelName
from student_hub.notifications.sending import Sender
from student_hub.notifications.servers import MailServer, sender_of
from student_hub.notifications.service import Notifications
from student_hub.notifications.unsubscribing import Links
from student_hub.notifications.webhook import Webhook, problem_of
from student_hub.notifications.wishes import Wishes
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.job import Handlers
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.settings import Settings
from student_hub.students.service import Students

NOWHERE = "is not offered: WEBHOOK_SECRET is not set"


def build_notifications(parts: Parts, settings: Settings) -> None:
    """Puts the room's parts on the shelf; students, access and the ledger are there already."""
    db, students, audit = parts.get(Database), parts.get(Students), parts.get(Audit)
    keyring, ledger, access = parts.get(Keyring), parts.get(Ledger), parts.get(Access)
    channels = _channels(settings)
    quiet = QuietHours.of(settings.quiet_hours)
    book = parts.put(PreferenceBook(keyring))
    links = Links(keyring, settings.resource_url or local_url(settings))
    figures = NotificationFigures(parts.get(Metrics))
    addressing = Addressing(access, book, keyring, frozenset(channels))
    outbox = parts.put(Outbox(students, audit, ledger, utc_now, addressing, figures, quiet))
    base = (db, students, audit, ledger, utc_now, addressing, outbox)
    parts.put(Notifications(*base, kept=timedelta(days=settings.notification_retention_days)))
    parts.put(Sender(*base, figures, channels, links, quiet))
    parts.put(_wishes(parts, settings, book, links, channels.get(ChannelName.WEBHOOK)))


def handlers_of(parts: Parts) -> Handlers:
    """The handlers of the room's jobs."""
    room = parts.get(Notifications), parts.get(Outbox), parts.get(Sender), parts.get(Wishes)
    return notification_handlers(*room)


def _wishes(
    parts: Parts, settings: Settings, book: PreferenceBook, links: Links, webhook: Channel | None
) -> Wishes:
    offered = webhook if isinstance(webhook, Webhook) else None
    checked = partial(problem_of, private=settings.webhook_allow_private)
    return Wishes(
        parts.get(Database),
        book,
        parts.get(Students),
        parts.get(Access),
        parts.get(Audit),
        utc_now,
        links,
        destination=(lambda _: NOWHERE) if offered is None else checked,
        secret_of=(lambda _: None) if offered is None else offered.secret_of,
    )


def _channels(settings: Settings) -> dict[ChannelName, Channel]:
    """The ways out that are configured; the inbox needs none."""
    found: dict[ChannelName, Channel] = {}
    if (url := given(settings, "smtp_url")) is not None:
        sender = sender_of(settings.mail_from)
        found[ChannelName.EMAIL] = Mail(MailServer.of(url), sender, utc_now)
    if (secret := given(settings, "webhook_secret")) is not None:
        private = settings.webhook_allow_private
        found[ChannelName.WEBHOOK] = Webhook(secret, utc_now, private=private)
    return found
