"""Who may see whom, and how much of them: asked on every hit of a cache too, decided only here."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from student_hub.platform.security.caller import Caller, Role, Scope

READS = frozenset({Scope.READ, Scope.ADMIN})

CEILINGS = {
    Role.ADMIN: frozenset(Scope),
    Role.SERVICE: frozenset({Scope.READ, Scope.WRITE, Scope.SENSITIVE, Scope.PLAN}),
    Role.TEACHER: frozenset({Scope.READ, Scope.PLAN}),
    Role.STUDENT: frozenset({Scope.READ}),
    Role.PARENT: frozenset({Scope.READ}),
}
NOTHING: tuple[str, ...] = ()
PARENTS_AND_CARE = ("parent_contact", "special_needs")
CONTACT_AND_CARE = ("email", *PARENTS_AND_CARE)


class Whereabouts(Protocol):
    """Of a student, what a decision may look at: who they are and which class they are in."""

    @property
    def id(self) -> UUID: ...

    @property
    def school_id(self) -> str: ...

    @property
    def grade(self) -> int: ...

    @property
    def class_name(self) -> str: ...


class Place(Protocol):
    """What a grant is for: a school, a grade, a class or a student; the rest is None."""

    @property
    def school_id(self) -> str | None: ...

    @property
    def grade(self) -> int | None: ...

    @property
    def class_name(self) -> str | None: ...

    @property
    def student_id(self) -> UUID | None: ...


def ceiling(role: Role) -> frozenset[Scope]:
    """The widest scopes that a credential of the role may have."""
    return CEILINGS[role]


def may_see(caller: Caller, student: Whereabouts) -> bool:
    """Whether the caller may see that student; one who may not is told that there is none."""
    if READS.isdisjoint(caller.scopes):
        return False
    reach = caller.reach
    if reach is None:
        return caller.sees_all
    grade = f"{student.school_id}:{student.grade}"
    return (
        f"class:{grade}:{student.class_name}" in reach
        or f"student:{student.id}" in reach
        or f"grade:{grade}" in reach
        or f"school:{student.school_id}" in reach
    )


def withheld_from(caller: Caller, student: Whereabouts) -> tuple[str, ...]:
    """The fields of a student, of those whom the caller may see, that are null in the answer.

    Of `email`, `parent_contact` and `special_needs`. A service needs the scope `sensitive` for
    them; a student sees their own e-mail address, and what concerns parents and care never.
    """
    match caller.role:
        case Role.ADMIN | Role.TEACHER | Role.PARENT:
            return NOTHING
        case Role.SERVICE:
            return NOTHING if Scope.SENSITIVE in caller.scopes else CONTACT_AND_CARE
        case Role.STUDENT:
            own = caller.reach is not None and f"student:{student.id}" in caller.reach
            return PARENTS_AND_CARE if own else CONTACT_AND_CARE


def label_of(place: Place) -> str:
    """The label of all who are there; no two places have one label, for no school's id has `:`."""
    if place.student_id is not None:
        return f"student:{place.student_id}"
    if place.class_name is not None:
        return f"class:{place.school_id}:{place.grade}:{place.class_name}"
    if place.grade is not None:
        return f"grade:{place.school_id}:{place.grade}"
    return f"school:{place.school_id}"


def is_good(expires_at: datetime | None, revoked_at: datetime | None, now: datetime) -> bool:
    """Whether a key or grant counts now: to its last moment, and not from its expiry on."""
    return revoked_at is None and (expires_at is None or now < expires_at)
