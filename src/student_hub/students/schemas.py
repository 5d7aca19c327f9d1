"""What goes in and out of the room."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from student_hub.platform.text import Text
from student_hub.platform.validation import path_of, problem_of

MOST_REFUSALS = 1_000
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"

Grade = Annotated[int, Field(strict=True, ge=1, le=12)]
Name = Annotated[Text, Field(max_length=100)]
SchoolId = Annotated[Text, Field(max_length=50, pattern=r"^[^:]+$", examples=["SCH001"])]
ClassName = Annotated[Text, Field(max_length=50, examples=["1반"])]
StudentNumber = Annotated[Text, Field(max_length=20)]
Email = Annotated[Text, Field(max_length=254, pattern=EMAIL)]
Contact = Annotated[Text, Field(max_length=200)]
Label = Annotated[Text, Field(max_length=200)]
Labels = Annotated[list[Label], Field(max_length=20)]


class Closed(BaseModel):
    """A shape without other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParentPreferences(Closed):
    """How and how often a student's parents want to hear."""

    notification_method: Literal["email", "kakao", "sms", "webhook", "in_app", "none"] | None = None
    report_frequency: Literal["immediate", "daily", "weekly", "monthly", "none"] | None = None


class Metadata(Closed):
    """What is known about how a student learns.

    A closed set, and no place to park personal data: all but `special_needs`, which is about
    health, is searchable and so not sealed.
    """

    learning_style: Label | None = None
    special_needs: Labels = []
    interests: Labels = []
    parent_preferences: ParentPreferences = ParentPreferences()


class StudentIn(Closed):
    """A student to store. With an `id` of the sender's own, sending again is safe."""

    id: UUID | None = None
    name: Name
    school_id: SchoolId
    grade: Grade
    class_name: ClassName
    student_number: StudentNumber | None = None
    email: Email | None = None
    parent_contact: Contact | None = None
    metadata: Metadata = Metadata()


class StudentPatch(Closed):
    """What to change: a field not sent stays, null empties it, `metadata` is replaced whole."""

    name: Name | None = None
    school_id: SchoolId | None = None
    grade: Grade | None = None
    class_name: ClassName | None = None
    student_number: StudentNumber | None = None
    email: Email | None = None
    parent_contact: Contact | None = None
    metadata: Metadata | None = None

    @field_validator("name", "school_id", "grade", "class_name", "metadata")
    @classmethod
    def _stays(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError("needed", "cannot be emptied")
        return value


class Student(BaseModel):
    """A student as stored; times in UTC.

    `withheld` names the fields that this reader is not shown: they are empty here, whatever they
    are in the register.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    school_id: str
    grade: int
    class_name: str
    student_number: str | None
    email: str | None
    parent_contact: str | None
    metadata: Metadata
    created_at: datetime
    updated_at: datetime
    withheld: list[str] = []


class State(StrEnum):
    """Whether a student's data may be processed."""

    OPEN = "open"
    AWAITING_CONSENT = "awaiting_consent"
    """A guardian's consent for learning is needed, and there is none."""
    STOPPED = "stopped"
    """Somebody has a right to that and asked for it, or a consent was withdrawn."""


class Glance(BaseModel):
    """A student, the generation of all that is cached about them, and what may be done."""

    model_config = ConfigDict(frozen=True)

    student: Student
    generation: int
    processing: State = State.OPEN


class StudentPage(BaseModel):
    """Students in the order of their ids; `next` asks for the page after this one."""

    students: list[Student]
    next: str | None


class StudentFilter(Closed):
    """Which students a list holds; every filter that is given must hold."""

    school_id: SchoolId | None = None
    grade: Grade | None = None
    class_name: ClassName | None = None
    name: Name | None = None


class Put(StrEnum):
    """What became of a student that was put."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Row(NamedTuple):
    """What was sent, and its number: a row from 1, or a line of a file."""

    number: int
    value: object


class RefusedRow(BaseModel):
    """A row (counted from 1) that was not stored, and why."""

    row: int
    field: str
    problem: str


class StudentReceipt(BaseModel):
    """What became of the rows of an import; the first 1,000 refusals in detail."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[RefusedRow] = []

    def add(self, other: "StudentReceipt") -> None:
        """Counts the other receipt's rows in."""
        for name in ("created", "updated", "unchanged", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refusals += other.refusals[: MOST_REFUSALS - len(self.refusals)]

    def count(self, put: Put) -> None:
        setattr(self, put.value, getattr(self, put.value) + 1)

    def refuse(self, row: int, fault: "Fault") -> None:
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS:
            self.refusals.append(RefusedRow(row=row, field=fault.field, problem=fault.problem))


class Fault(NamedTuple):
    """The first thing wrong with something that was sent; `field` is a dotted path."""

    field: str
    problem: str

    @classmethod
    def first(cls, error: ValidationError) -> "Fault":
        detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return cls(path_of(detail["loc"]), problem_of(detail))


LEARNING = "learning"
"""The purpose of all that the hub does with a student's data."""

Purpose = Annotated[Text, Field(max_length=50, pattern=r"^[a-z][a-z0-9_]*$", examples=[LEARNING])]
Version = Annotated[Text, Field(max_length=50, examples=["2026-03"])]
Reason = Annotated[Text, Field(max_length=200, description="Why; without personal data.")]


class Method(StrEnum):
    """How it was made sure who consents, as Korea's decree on personal data has it (Art. 17-2)."""

    WRITTEN = "written"
    PHONE = "phone"
    EMAIL = "email"
    SMS = "sms"
    CARD = "card"
    IDENTITY_CHECK = "identity_check"
    IN_PERSON = "in_person"


class Relation(StrEnum):
    """Who gave a consent, seen from the student."""

    SELF = "self"
    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"


class ConsentIn(Closed):
    """A consent to record: to which text (`version`), for what, given how and by whom."""

    purpose: Purpose
    version: Version
    method: Method
    given_by_relation: Relation
    given_at: AwareDatetime | None = None


class Consent(BaseModel):
    """A consent as recorded; valid until `withdrawn_at`."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    student_id: UUID
    purpose: str
    version: str
    method: Method
    given_by_relation: Relation
    given_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None


class Processing(BaseModel):
    """Whether a student's data may be processed; since when and by whose word, where it is kept."""

    model_config = ConfigDict(frozen=True)

    state: State
    since: datetime | None = None
    by: str | None = None
    reason: str | None = None


class ProcessingIn(Closed):
    """What is asked for: to stop, or to go on. That a consent is awaited follows by itself."""

    state: Literal[State.OPEN, State.STOPPED]
    reason: Reason


class Removed(BaseModel):
    """What was taken away with a student, in rows of each table, and whose key was destroyed."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    generation: int
    rows: dict[str, int]
