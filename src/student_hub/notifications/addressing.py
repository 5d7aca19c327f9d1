"""Who is told of a notice, and by which way: the family by the register, others by their grants."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from student_hub.access.schemas import ByGrant, GrantKind, Viewer
from student_hub.access.service import Access
from student_hub.notifications import repository
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.schemas import (
    EMAIL,
    Category,
    ChannelName,
    Kept,
    Language,
    Preferences,
    Recipient,
    category_of,
)
from student_hub.platform.db.database import Transaction
from student_hub.platform.security.keyring import Keyring
from student_hub.students.schemas import Student

SELF = "self"
HOMEROOM = "homeroom"
PARENTAL = frozenset({"parent", "guardian", "mother", "father"})
BAD = "bad-address"
DEFAULT = Preferences()
Granted = Sequence[tuple[Viewer, ByGrant]]
NOT_CONFIGURED = "not_configured"
NO_CONTACT = "no_contact"
BAD_CONTACT = "bad_contact"


@dataclass(frozen=True, slots=True)
class Addressee:
    """One message to write: to whom, by which way, how; `digest` says how often at most."""

    reader: Recipient
    name: str
    channel: ChannelName
    subject: str | None = None
    language: Language = Language.KOREAN
    quiet: str | None = None
    """Their own quiet hours; the hub's when null."""
    digest: str | None = None


@dataclass(slots=True)
class Reached:
    """All who are to be told; `nobody` are kinds of readers of whom there is none."""

    addressees: list[Addressee] = field(default_factory=list)
    nobody: list[Recipient] = field(default_factory=list)
    gap: tuple[str, str] | None = None
    """How the family wished to be reached and could not be, and why."""


class Addressing:
    """Finds addressees in a transaction that sees every grant."""

    def __init__(
        self,
        access: Access,
        book: PreferenceBook,
        keyring: Keyring,
        configured: frozenset[ChannelName],
    ) -> None:
        self._access = access
        self._book = book
        self._keyring = keyring
        self._configured = configured | {ChannelName.IN_APP}

    async def reach(self, tx: Transaction, notice: Kept, student: Student) -> Reached:
        """Everybody whom the notice is for."""
        granted = by_grant(await self._access.viewers(tx, student))
        found = Reached()
        category = category_of(notice.template)
        for reader in notice.recipients:
            if reader is Recipient.PARENTS:
                await self._family(tx, found, category, student, granted)
            else:
                people = _students(granted) if reader is Recipient.STUDENT else _teachers(granted)
                await self._people(tx, found, category, reader, student, people)
        return found

    async def instead(self, tx: Transaction, student: Student, reader: Recipient) -> Reached:
        """The family's inboxes, where mail or webhook to their contact has failed for good."""
        found = Reached()
        granted = by_grant(await self._access.viewers(tx, student))
        found.addressees = [_in_app(reader, subject) for subject in _parents(granted)]
        found.nobody = [] if found.addressees else [reader]
        return found

    async def preferences(self, tx: Transaction, subject: str | None) -> Preferences:
        """Of the subject; the defaults for who has stored none."""
        found = await self._book.of(tx, [subject]) if subject is not None else {}
        return found.get(subject or "", DEFAULT)

    async def still_sees(self, tx: Transaction, student: Student, subject: str) -> bool:
        """Whether a grant still shows the student to the subject."""
        viewers = await self._access.viewers(tx, student)
        return any(viewer.subject == subject for viewer, _ in by_grant(viewers))

    async def mark_bad(
        self,
        tx: Transaction,
        student: Student,
        subject: str | None,
        channel: ChannelName,
        now: datetime,
    ) -> None:
        """Nothing is sent there any more, until somebody stores another address."""
        if subject is not None:
            await self._book.mark_bad(tx, subject, channel)
            return
        print_ = self._print(student.parent_contact or "", self._keyring.key_id)
        await repository.mark_bad(tx, student.id, print_, channel.value, now)

    def address(
        self, student: Student, reader: Recipient, wishes: Preferences, channel: ChannelName
    ) -> str | None:
        """Where a reader's messages go; None when there is no such address any more."""
        if channel is ChannelName.WEBHOOK:
            return wishes.webhook
        own = student.email if reader is Recipient.STUDENT else None
        return wishes.email or own

    async def _family(
        self,
        tx: Transaction,
        found: Reached,
        category: Category,
        student: Student,
        granted: Granted,
    ) -> None:
        wishes = student.metadata.parent_preferences
        method, often = wishes.notification_method or "in_app", wishes.report_frequency
        if method == "none" or (category is Category.REPORTS and often == "none"):
            return
        digest = often if category is Category.REPORTS and often != "immediate" else None
        if method != "in_app":
            why = await self._why_not(tx, student, method)
            if why is None:
                name = family_of(student)
                channel = ChannelName(method)
                found.addressees.append(Addressee(Recipient.PARENTS, name, channel, digest=digest))
                return
            found.gap = (method, why)
        await self._people(tx, found, category, Recipient.PARENTS, student, _parents(granted))

    async def _why_not(self, tx: Transaction, student: Student, method: str) -> str | None:
        """Why the family cannot be reached so; None when it can."""
        if method not in self._configured:
            return NOT_CONFIGURED
        contact = student.parent_contact
        if contact is None or not _fits(contact, method):
            return NO_CONTACT
        prints = [self._print(contact, key_id) for key_id in self._keyring.known_ids]
        return BAD_CONTACT if await repository.is_bad(tx, student.id, prints) else None

    async def _people(
        self,
        tx: Transaction,
        found: Reached,
        category: Category,
        reader: Recipient,
        student: Student,
        subjects: Sequence[str],
    ) -> None:
        if not subjects:
            found.nobody.append(reader)
            return
        book = await self._book.of(tx, subjects)
        for subject in subjects:
            wishes = book.get(subject, DEFAULT)
            for channel in self._ways(student, reader, wishes, category):
                found.addressees.append(
                    Addressee(
                        reader,
                        subject,
                        channel,
                        subject,
                        language=wishes.language,
                        quiet=wishes.quiet_hours,
                    )
                )

    def _ways(
        self, student: Student, reader: Recipient, wishes: Preferences, category: Category
    ) -> list[ChannelName]:
        """The channels that work; the inbox in place of those that do not."""
        ways = [
            channel if self._works(student, reader, wishes, channel) else ChannelName.IN_APP
            for channel in wishes.channels_for(category)
        ]
        return list(dict.fromkeys(ways))

    def _works(
        self, student: Student, reader: Recipient, wishes: Preferences, channel: ChannelName
    ) -> bool:
        if channel is ChannelName.IN_APP:
            return True
        usable = channel in self._configured and channel not in wishes.bad
        return usable and self.address(student, reader, wishes, channel) is not None

    def _print(self, contact: str, key_id: str) -> bytes:
        return self._keyring.fingerprint(BAD, contact, key_id)


def family_of(student: Student) -> str:
    """The recipient that stands for the contact of the register."""
    return f"parents of {student.id}"


def by_grant(viewers: Iterable[Viewer]) -> list[tuple[Viewer, ByGrant]]:
    """Those who see the student because somebody granted it."""
    return [(each, each.because) for each in viewers if isinstance(each.because, ByGrant)]


def quiet_of(own: str | None, hub: QuietHours | None) -> QuietHours | None:
    """A reader's quiet hours: their own, else the hub's."""
    return hub if own is None else QuietHours.of(own)


def _in_app(reader: Recipient, subject: str) -> Addressee:
    return Addressee(reader, subject, ChannelName.IN_APP, subject)


def _students(granted: Granted) -> list[str]:
    return _of(granted, lambda grant: grant.kind is GrantKind.STUDENT and grant.relation == SELF)


def _parents(granted: Granted) -> list[str]:
    return _of(
        granted, lambda grant: grant.kind is GrantKind.STUDENT and grant.relation in PARENTAL
    )


def _teachers(granted: Granted) -> list[str]:
    """The homeroom teachers; where there is none, every teacher of the class."""
    homeroom = _of(
        granted,
        lambda grant: grant.kind is not GrantKind.STUDENT and grant.relation == HOMEROOM,
    )
    return homeroom or _of(granted, lambda grant: grant.kind is GrantKind.CLASS)


def _of(granted: Granted, fits: Callable[[ByGrant], bool]) -> list[str]:
    return list(dict.fromkeys(viewer.subject for viewer, grant in granted if fits(grant)))


def _fits(contact: str, method: str) -> bool:
    if method == ChannelName.EMAIL:
        return re.fullmatch(EMAIL, contact) is not None
    return contact.startswith(("https://", "http://"))
