"""What is told to whom: notices as rooms put them, the inbox, the log, and preferences."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from student_hub.platform.jobs.payloads import Word
from student_hub.platform.text import Text, is_label, visible

MOST_WORDS = 20
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"


class Template(StrEnum):
    """What there is to tell; the words stand in `templates/`, by this name."""

    INTERVENTION_CREATED = "intervention_created"
    INTERVENTION_PROPOSED = "intervention_proposed"
    PROGRESS_CHECKED = "progress_checked"
    INTERVENTION_OVERDUE = "intervention_overdue"
    INTERVENTION_COMPLETED = "intervention_completed"
    ESCALATION = "escalation"
    REPORT_READY = "report_ready"
    ALERT_OPENED = "alert_opened"
    CONTACT_MISSING = "contact_missing"
    """For teachers: a family cannot be reached in the way that it asked for."""


class Category(StrEnum):
    """What a template is about: what somebody wants to hear of, and how, is said by category."""

    PLANS = "plans"
    REPORTS = "reports"
    ALERTS = "alerts"


CATEGORIES = {
    Template.REPORT_READY: Category.REPORTS,
    Template.ESCALATION: Category.ALERTS,
    Template.ALERT_OPENED: Category.ALERTS,
    Template.CONTACT_MISSING: Category.ALERTS,
}


def category_of(template: Template) -> Category:
    """Plans, unless it is said otherwise."""
    return CATEGORIES.get(template, Category.PLANS)


class Recipient(StrEnum):
    """Who is told, seen from the student."""

    STUDENT = "student"
    PARENTS = "parents"
    TEACHER = "teacher"


class ChannelName(StrEnum):
    """By which way."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    IN_APP = "in_app"


class State(StrEnum):
    """How far a notification is."""

    PENDING = "pending"
    SENDING = "sending"
    """Handed to a server, or about to be; who died meanwhile left it so."""
    SENT = "sent"
    FAILED = "failed"
    """Refused for good; it went on by the next way."""
    DEAD = "dead"
    """Tried for a day in vain."""
    UNKNOWN = "unknown"
    """It may have gone out, and nobody can tell: a person decides, as twice is worse than late."""
    HELD = "held"
    """Not sent on purpose; `reason` says why."""


class Language(StrEnum):
    KOREAN = "ko"
    ENGLISH = "en"


def _words(value: object) -> object:
    """Text that looks like the name of something; any other text is left out."""
    if isinstance(value, str):
        text = visible(value)
        return text if is_label(text) else ""
    if isinstance(value, list | tuple):
        return [_words(item) for item in value[:MOST_WORDS]]
    return value


Plain = bool | int | float | UUID | datetime | date | Annotated[str, Field(max_length=80)]
FactValue = Annotated[Plain | list[Plain] | None, BeforeValidator(_words)]


class Notice(BaseModel):
    """Something to tell about a student, once for each `event` and template.

    `facts` are ids, numbers, dates and words of the curriculum; what a person is called is looked
    up when it is sent. Templates know `concepts` (list), `duration_days`, `steps`,
    `completed`, `total`, `mastery_before`, `mastery_now`, `channel`, and `proposal` (`extend`,
    `complete`, `escalate`); none is needed. Each value is of 80 signs at most;
    text that does not look like the name of something is left out. `critical` ones pass the
    quiet hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Word
    template: Template
    student_id: UUID
    recipients: frozenset[Recipient]
    facts: dict[Word, FactValue] = {}
    critical: bool = False


class Kept(BaseModel):
    """A notice as stored."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    event: str
    template: Template
    student_id: UUID
    recipients: list[Recipient]
    facts: dict[str, object]
    critical: bool
    created_at: datetime


class Notification(BaseModel):
    """One message of the log: to whom, by which way, how far it is; no address and no text.

    `recipient` is a subject, or `parents of <student>` where their contact is in the register.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    event: str
    template: Template
    student_id: UUID
    reader: Recipient
    recipient: str
    channel: ChannelName
    state: State
    reason: str | None
    tries: int
    provider_id: str | None
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    read_at: datetime | None

    @property
    def subject(self) -> str | None:
        """The recipient where it is a subject."""
        nobody = f"{self.reader.value} of {self.student_id}"
        return None if self.recipient == nobody else self.recipient


class NotificationFilter(BaseModel):
    """Which notifications are wanted; every filter that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student_id: UUID | None = None
    state: State | None = None
    channel: ChannelName | None = None


class NotificationPage(BaseModel):
    """Notifications, the newest first; `next` asks for the page after this one."""

    notifications: list[Notification]
    next: str | None


class Resolution(BaseModel):
    """What a person found out about a notification that may have been sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sent: bool


class InboxMessage(BaseModel):
    """A message as its reader sees it now, in their language."""

    id: UUID
    student_id: UUID
    template: Template
    category: Category
    title: str
    text: str
    created_at: datetime
    read_at: datetime | None


class InboxPage(BaseModel):
    """Messages, the newest first; `next` asks for the page after this one."""

    messages: list[InboxMessage]
    unread: int
    next: str | None


QuietText = Annotated[
    Text,
    Field(max_length=80, examples=["21:00-08:00 Asia/Seoul"], description="`off` for none."),
]
Address = Annotated[Text, Field(max_length=254, pattern=EMAIL)]
Url = Annotated[Text, Field(max_length=500, pattern=r"^https?://[!-~]+$")]
EVERYWHERE_IN_APP = {category: [ChannelName.IN_APP] for category in Category}


class PreferencesIn(BaseModel):
    """How somebody wants to hear; a category without a channel is silent, one not named in-app.

    A student may choose `email` without an address here: the school's address of theirs is used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = Language.KOREAN
    email: Address | None = None
    webhook: Url | None = None
    channels: dict[Category, list[ChannelName]] = {}
    quiet_hours: QuietText | None = None


class Preferences(PreferencesIn):
    """The same as stored; `webhook_secret` signs what goes to the webhook (Standard Webhooks).

    `bad` channels have refused their address for good; storing preferences anew tries them again.
    """

    bad: list[ChannelName] = []
    webhook_secret: str | None = None

    def channels_for(self, category: Category) -> list[ChannelName]:
        """Each once, in the order in which they were wished for."""
        return list(dict.fromkeys(self.channels.get(category, EVERYWHERE_IN_APP[category])))


Frequency = Literal["immediate", "daily", "weekly", "monthly", "none"]
