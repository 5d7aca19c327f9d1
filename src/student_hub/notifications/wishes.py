"""What readers say of how they want to hear: by preferences, or by a link in a mail."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.service import Access
from student_hub.notifications import repository
from student_hub.notifications.addressing import family_of
from student_hub.notifications.errors import LinkNotGood
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.quiet import QuietHours
from student_hub.notifications.schemas import (
    EVERYWHERE_IN_APP,
    Category,
    ChannelName,
    Language,
    Notification,
    Preferences,
    PreferencesIn,
)
from student_hub.notifications.unsubscribing import Links
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.service import Students

KEPT_AT_LEAST = timedelta(days=1)

Destination = Callable[[str], str | None]
"""Why nothing is sent to that webhook; None when something may be."""
SecretOf = Callable[[str], str | None]
"""What signs messages to that reader; None where no webhook is configured."""


class Wishes:
    """Reads and stores preferences, each reader's their own."""

    def __init__(
        self,
        db: Database,
        book: PreferenceBook,
        students: Students,
        access: Access,
        audit: Audit,
        clock: Clock,
        links: Links,
        *,
        destination: Destination,
        secret_of: SecretOf,
    ) -> None:
        self._db = db
        self._book = book
        self._students = students
        self._access = access
        self._audit = audit
        self._clock = clock
        self._links = links
        self._destination = destination
        self._secret_of = secret_of

    async def read(self, caller: Caller) -> Preferences:
        """The caller's own; the defaults for who has stored none."""
        caller.require(Scope.READ)
        async with self._db.transaction(caller) as tx:
            found = await self._of(tx, caller)
        self._audit.saw(caller, Action.PREFERENCES_READ)
        return found

    async def store(self, caller: Caller, wanted: PreferencesIn) -> Preferences:
        """The same after the change; InvalidInput names what cannot be."""
        caller.require(Scope.READ)
        self._check(caller, wanted)
        async with self._db.transaction(caller) as tx:
            await self._book.put(tx, caller.subject, wanted, self._clock())
            await self._audit.note(tx, caller, Action.PREFERENCES_SET)
            return await self._of(tx, caller)

    async def language_of(self, token: str) -> Language:
        """In which language the page behind a link speaks; LinkNotGood for a wrong one."""
        async with self._db.transaction(SYSTEM) as tx:
            row = await self._linked(tx, token)
            if row.subject is None:
                return Language.KOREAN
            found = await self._book.of(tx, [row.subject])
        return found[row.subject].language if row.subject in found else Language.KOREAN

    async def unsubscribe(self, token: str) -> None:
        """No more mails about reports to the reader of that mail; safe to repeat."""
        async with self._db.transaction(SYSTEM) as tx:
            row = await self._linked(tx, token)
            subject = row.subject
            student = await self._students.require(tx, row.student_id)
            if row.recipient == family_of(student):
                await self._students.stop_reports(tx, student.id)
                subject = None
            elif subject is not None:
                await self._without_reports(tx, subject)
            detail: dict[str, int | str] = {"notification": str(row.id), "by": "link"}
            about = [row.student_id]
            await self._audit.note(tx, SYSTEM, Action.PREFERENCES_SET, about, detail=detail)

    async def prune(self) -> int:
        """Deletes preferences of who sees nobody any more; how many."""
        async with self._db.transaction(SYSTEM) as tx:
            stored = await self._book.subjects(tx, self._clock() - KEPT_AT_LEAST)
            granted = await self._access.grants.granted(tx, stored)
            gone = [subject for subject in stored if subject not in granted]
            await self._book.remove(tx, gone)
        return len(gone)

    async def _of(self, tx: Transaction, caller: Caller) -> Preferences:
        subject = caller.subject
        found = (await self._book.of(tx, [subject])).get(subject, Preferences())
        return found.model_copy(update={"webhook_secret": self._secret_of(subject)})

    async def _linked(self, tx: Transaction, token: str) -> Notification:
        found: UUID | None = self._links.read(token)
        row = None if found is None else await repository.one(tx, found)
        if row is None:
            raise LinkNotGood
        return row

    async def _without_reports(self, tx: Transaction, subject: str) -> None:
        held = (await self._book.of(tx, [subject])).get(subject, Preferences())
        ways = held.channels.get(Category.REPORTS, EVERYWHERE_IN_APP[Category.REPORTS])
        left = [way for way in ways if way is not ChannelName.EMAIL]
        fields = held.model_dump(include=set(PreferencesIn.model_fields))
        fields["channels"] = {**held.channels, Category.REPORTS: left}
        await self._book.put(tx, subject, PreferencesIn.model_validate(fields), self._clock())

    def _check(self, caller: Caller, wanted: PreferencesIn) -> None:
        if wanted.quiet_hours is not None:
            try:
                QuietHours.of(wanted.quiet_hours)
            except ValueError as error:
                raise InvalidInput.field("quiet_hours", str(error)) from error
        if wanted.webhook is not None and (why := self._destination(wanted.webhook)) is not None:
            raise InvalidInput.field("webhook", why)
        used = {channel for channels in wanted.channels.values() for channel in channels}
        if ChannelName.EMAIL in used and not (wanted.email or caller.role is Role.STUDENT):
            raise InvalidInput.field("email", "is needed, as a category wants it")
        if ChannelName.WEBHOOK in used and not wanted.webhook:
            raise InvalidInput.field("webhook", "is needed, as a category wants it")
