"""Keys and grants as they are asked for and shown."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from student_hub.platform.security.caller import Role, Scope
from student_hub.platform.text import Text

LONGEST_LIFE_DAYS = 3_650
LONGEST_OVERLAP_HOURS = 30 * 24


def _written_out(value: object) -> object:
    """Refuses numbers, which pydantic would read as seconds or milliseconds since 1970."""
    if isinstance(value, str | datetime):
        return value
    raise PydanticCustomError("instant", "is not a time like 2027-02-28T23:59:59+09:00")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("instant", "is too near the first or last year") from error


def _not_ours(subject: str) -> str:
    if subject.startswith("key:") or subject == "system":
        raise PydanticCustomError("reserved", "is a name that the hub gives itself")
    return subject


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
Subject = Annotated[
    Text,
    Field(
        max_length=320,
        description="Who, as an opaque id (it is logged): of a token `oidc:<issuer>:<sub>`.",
    ),
]
SchoolId = Annotated[Text, Field(max_length=50, pattern=r"^[^:]+$", examples=["SCH001"])]
Grade = Annotated[int, Field(ge=1, le=12, strict=True)]
ClassName = Annotated[Text, Field(max_length=50, examples=["1반"])]


class Closed(BaseModel):
    """A shape without other fields than its own."""

    model_config = ConfigDict(extra="forbid")


class NewKey(Closed):
    """What is wanted of a new key."""

    name: Annotated[Text, Field(max_length=100, description="Whose or what for.")]
    scopes: Annotated[set[Scope], Field(min_length=1, description="Within the role's ceiling.")]
    role: Role = Role.SERVICE
    subject: Annotated[Subject, AfterValidator(_not_ours)] | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=LONGEST_LIFE_DAYS, strict=True)] = 365


class Rotation(Closed):
    """How a key is replaced."""

    overlap_hours: Annotated[
        int,
        Field(
            ge=0, le=LONGEST_OVERLAP_HOURS, strict=True, description="How long both keys are good."
        ),
    ] = 24


class Key(BaseModel):
    """A key without its secret; `prefix` is how it begins, `replaced_by` the id of its successor.

    `master_key_id` says under which master key it was hashed; null for keys of older versions.
    """

    id: str
    prefix: str
    name: str
    role: Role
    subject: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    replaced_by: str | None
    master_key_id: str | None


class IssuedKey(Key):
    """A new key with its secret, which is shown this once."""

    key: str


class GrantKind(StrEnum):
    """What a grant is for."""

    SCHOOL = "school"
    GRADE = "grade"
    CLASS = "class"
    STUDENT = "student"


class NewGrant(Closed):
    """Whom somebody may see, and as what.

    A grant has exactly the fields of its kind. `school`: school_id; `grade`: school_id and grade;
    `class`: school_id, grade and class_name; `student`: student_id.
    """

    subject: Subject
    kind: GrantKind
    school_id: SchoolId | None = None
    grade: Grade | None = None
    class_name: ClassName | None = None
    student_id: UUID | None = None
    relation: Annotated[Text, Field(max_length=50, examples=["homeroom", "guardian", "self"])]
    expires_at: Instant | None = None


class Grant(BaseModel):
    """A grant as stored; it counts while it is neither revoked nor expired."""

    id: UUID
    subject: str
    kind: GrantKind
    school_id: str | None
    grade: int | None
    class_name: str | None
    student_id: UUID | None
    relation: str
    granted_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class GrantFilter(Closed):
    """Which grants a list holds; every filter that is given must hold."""

    subject: Subject | None = None
    school_id: SchoolId | None = None
    grade: Grade | None = None
    class_name: ClassName | None = None
    student_id: UUID | None = None
    ended: bool = Field(False, description="Also those that count no more.")


class GrantPage(BaseModel):
    """Grants in the order of their ids; `next` asks for the page after this one."""

    grants: list[Grant]
    next: str | None


class ByGrant(BaseModel):
    """Somebody sees the student because it was granted."""

    by: Literal["grant"] = "grant"
    kind: GrantKind
    relation: str
    granted_by: str
    since: datetime
    expires_at: datetime | None


class ByRole(BaseModel):
    """Somebody sees the student because their role sees every one; `key` is their key's name."""

    by: Literal["role"] = "role"
    key: str


class Viewer(BaseModel):
    """Who can see a student, and why.

    The role is that of the subject's keys; of who comes with tokens alone, it is null here: only
    their issuer knows it.
    """

    subject: str
    role: Role | None
    because: Annotated[ByGrant | ByRole, Field(discriminator="by")]


class Viewers(BaseModel):
    """All who can see one student: by grants first, then by a role that sees everybody."""

    viewers: list[Viewer]
