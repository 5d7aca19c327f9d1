"""What the audit log says, and what it is asked."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from student_hub.platform.security.caller import Door
from student_hub.platform.text import Text

LONGEST_REASON = 500
MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"

Reason = Annotated[Text, Field(max_length=LONGEST_REASON)]
"""Why something is done, in a person's words."""
Month = Annotated[str, Field(pattern=MONTH, examples=["2026-11"])]


class Action(StrEnum):
    """Everything that is written down."""

    STUDENT_READ = "student.read"
    STUDENT_LIST = "student.list"
    STUDENT_CREATE = "student.create"
    STUDENT_UPDATE = "student.update"
    STUDENT_ERASE = "student.erase"
    STUDENT_EXPORT = "student.export"
    STUDENT_IMPORT = "student.import"
    PROFILE_READ = "profile.read"
    HISTORY_READ = "history.read"
    EVENT_RECORD = "event.record"
    EVENT_VOID = "event.void"
    CONSENT_READ = "consent.read"
    CONSENT_GIVE = "consent.give"
    CONSENT_WITHDRAW = "consent.withdraw"
    PROCESSING_STOP = "processing.stop"
    PROCESSING_RESUME = "processing.resume"
    VIEWERS_READ = "viewers.read"
    """Who can see a student, and why."""
    ACCESS_LOG_READ = "access_log.read"
    """Who has seen a student."""
    KEY_LIST = "key.list"
    KEY_ISSUE = "key.issue"
    KEY_ROTATE = "key.rotate"
    KEY_REVOKE = "key.revoke"
    GRANT_LIST = "grant.list"
    GRANT_GIVE = "grant.give"
    GRANT_REVOKE = "grant.revoke"
    AUDIT_READ = "audit.read"
    AUDIT_PRUNE = "audit.prune"
    MASTER_KEY_ROTATE = "master_key.rotate"
    JOB_READ = "job.read"
    JOB_RETRY = "job.retry"
    JOB_DROP = "job.drop"
    TASK_LIST = "task.list"
    TASK_READ = "task.read"
    TASK_CREATE = "task.create"
    TASK_PAUSE = "task.pause"
    TASK_RESUME = "task.resume"
    TASK_CANCEL = "task.cancel"
    TASK_RUN = "task.run"
    INTERVENTION_CREATE = "intervention.create"
    INTERVENTION_READ = "intervention.read"
    INTERVENTION_LIST = "intervention.list"
    INTERVENTION_APPROVE = "intervention.approve"
    INTERVENTION_EDIT = "intervention.edit"
    INTERVENTION_REJECT = "intervention.reject"
    INTERVENTION_PAUSE = "intervention.pause"
    INTERVENTION_RESUME = "intervention.resume"
    INTERVENTION_CANCEL = "intervention.cancel"
    INTERVENTION_COMPLETE = "intervention.complete"
    INTERVENTION_STEP = "intervention.step"
    NOTIFICATION_SEND = "notification.send"
    NOTIFICATION_LIST = "notification.list"
    NOTIFICATION_RETRY = "notification.retry"
    INBOX_READ = "inbox.read"
    PREFERENCES_READ = "preferences.read"
    PREFERENCES_SET = "preferences.set"
    ANALYTICS_READ = "analytics.read"


class Outcome(StrEnum):
    """Whether it was done."""

    OK = "ok"
    REFUSED = "refused"


class AuditFilter(BaseModel):
    """Which entries are wanted; every filter that is given must hold. `until` is not within."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Annotated[Text, Field(max_length=200)] | None = None
    student_id: UUID | None = None
    action: Action | None = None
    door: Door | None = None
    outcome: Outcome | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class AuditEntry(BaseModel):
    """One entry; `seq` is its number in the sealed log, which one that is not sealed yet lacks."""

    id: UUID
    seq: int | None
    sealed: bool
    at: datetime
    subject: str
    role: str
    credential: str
    door: str
    address: str | None
    request_id: str | None
    action: str
    outcome: str
    student_ids: list[UUID]
    reason: str | None
    detail: dict[str, object]


class AuditPage(BaseModel):
    """Entries, the newest first; `next` asks for the page after this one."""

    entries: list[AuditEntry]
    next: str | None


class StudentAccess(BaseModel):
    """One time that somebody read or changed a student's data, as their family may know of it."""

    at: datetime
    subject: str
    role: str
    door: str
    action: str
    reason: str | None


class AccessPage(BaseModel):
    """Who touched a student's data, the newest first; `next` asks for the page after this one."""

    student_id: UUID
    accesses: list[StudentAccess]
    next: str | None


class ExportMade(BaseModel):
    """Data that left the hub, and why."""

    at: datetime
    door: str
    request_id: str | None
    students: int
    reason: str | None


class SubjectReview(BaseModel):
    """What one subject did in the month.

    `unusual`: at least 100 entries and over three times the median of the subject's own months
    among the six before (months without an entry do not count).
    """

    subject: str
    roles: list[str]
    entries: int
    actions: dict[str, int]
    students: int
    """Different students whose data was touched."""
    exports: list[ExportMade]
    """The first hundred."""
    exports_without_reason: int
    refused: int
    outside_hours: int
    """Entries before 07:00 or from 22:00 on, Asia/Seoul."""
    usual: float | None
    """The median month; null when the subject is new."""
    unusual: bool


class AuditReview(BaseModel):
    """The monthly review of access records (months of Asia/Seoul), the busiest subject first."""

    month: str
    since: datetime
    until: datetime
    entries: int
    subjects: list[SubjectReview]
