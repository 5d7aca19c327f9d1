"""Who may see whom, and how much of them."""

from dataclasses import dataclass
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from student_hub.access.policy import ceiling, label_of, may_see, withheld_from
from student_hub.platform.security.caller import Caller, Role, Scope

pytestmark = pytest.mark.requirement("policy-before-cache", "roles-and-grants")

IDS = [UUID(int=number) for number in range(4)]
SCHOOLS = ("SCH001", "SCH002", "SCH001:1")
CLASSES = ("1반", "2반", "1", "10:1반")
NEED_GRANTS = (Role.TEACHER, Role.STUDENT, Role.PARENT)


@dataclass(frozen=True)
class Pupil:
    id: UUID = IDS[0]
    school_id: str = "SCH001"
    grade: int = 10
    class_name: str = "1반"


@dataclass(frozen=True)
class Granted:
    """A place as a row of `grants` has it."""

    school_id: str | None = None
    grade: int | None = None
    class_name: str | None = None
    student_id: UUID | None = None

    def covers(self, pupil: Pupil) -> bool:
        """The slow and obvious rule: every field that is given must be the student's."""
        pairs = (
            (self.school_id, pupil.school_id),
            (self.grade, pupil.grade),
            (self.class_name, pupil.class_name),
            (self.student_id, pupil.id),
        )
        return all(mine is None or mine == theirs for mine, theirs in pairs)


# No school's id has a colon (the register and the grants refuse it); a class's name may have one.
schools = st.sampled_from([school for school in SCHOOLS if ":" not in school])
grades = st.sampled_from([1, 10])
classes = st.sampled_from(CLASSES)
pupils = st.builds(Pupil, st.sampled_from(IDS), schools, grades, classes)
places = st.one_of(
    st.builds(Granted, school_id=schools),
    st.builds(Granted, school_id=schools, grade=grades),
    st.builds(Granted, school_id=schools, grade=grades, class_name=classes),
    st.builds(Granted, student_id=st.sampled_from(IDS)),
)


def somebody(role: Role, granted: list[Granted], *scopes: Scope) -> Caller:
    reach = frozenset(map(label_of, granted))
    return Caller("key:x", frozenset(scopes or {Scope.READ}), role, reach)


@given(st.sampled_from(NEED_GRANTS), st.lists(places, max_size=5), pupils)
def test_a_caller_sees_just_whom_a_grant_covers(
    role: Role, granted: list[Granted], pupil: Pupil
) -> None:
    """The labels agree with the slow rule, over random grants and students."""
    expected = any(grant.covers(pupil) for grant in granted)
    assert may_see(somebody(role, granted), pupil) is expected


@given(places, places)
def test_two_places_never_have_one_label(one: Granted, another: Granted) -> None:
    """A class named `10:1반` is not the class 1반 of grade 10."""
    assert (label_of(one) == label_of(another)) is (one == another)


@given(st.sampled_from(NEED_GRANTS), st.lists(places, max_size=5), pupils)
def test_whoever_may_not_read_sees_nobody(role: Role, granted: list[Granted], pupil: Pupil) -> None:
    """A grant without the scope opens nothing, whatever other scopes there are."""
    assert not may_see(somebody(role, granted, Scope.WRITE, Scope.SENSITIVE), pupil)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
@pytest.mark.parametrize("role", Role)
def test_only_administrators_and_services_see_without_a_grant(role: Role, scope: Scope) -> None:
    """For the others a reach that nobody has worked out is no reach, not every student."""
    caller = Caller("key:x", frozenset({scope}), role, reach=None)
    assert may_see(caller, Pupil()) is (role not in NEED_GRANTS)


def test_whoever_may_only_write_sees_nobody() -> None:
    """An importer's key reads nothing back."""
    assert not may_see(Caller("key:x", frozenset({Scope.WRITE})), Pupil())


OWN = Granted(student_id=IDS[0])
CLASS = Granted("SCH001", 10, "1반")
CARE_AND_PARENTS = ("parent_contact", "special_needs")
ALL = ("email", *CARE_AND_PARENTS)


@pytest.mark.parametrize(
    ("caller", "withheld"),
    [
        (Caller("a", frozenset({Scope.ADMIN}), Role.ADMIN), ()),
        (somebody(Role.TEACHER, [CLASS]), ()),
        (somebody(Role.PARENT, [OWN]), ()),
        (somebody(Role.STUDENT, [OWN]), CARE_AND_PARENTS),
        (somebody(Role.STUDENT, [CLASS]), ALL),
        (Caller("s", frozenset({Scope.READ, Scope.WRITE}), Role.SERVICE), ALL),
        (Caller("s", frozenset({Scope.READ, Scope.SENSITIVE}), Role.SERVICE), ()),
    ],
    ids=["admin", "teacher", "parent", "self", "class mate", "service", "sensitive service"],
)
def test_contact_and_care_are_for_those_who_need_them(
    caller: Caller, withheld: tuple[str, ...]
) -> None:
    """What is withheld is named; a student who may see class mates sees no address of theirs."""
    assert withheld_from(caller, Pupil()) == withheld


def test_only_administrators_administer_and_people_only_read() -> None:
    """The ceilings of the roles, every pair of role and scope."""
    allowed = {(role, scope) for role, scope in product(Role, Scope) if scope in ceiling(role)}
    people = {(role, Scope.READ) for role in NEED_GRANTS} | {(Role.TEACHER, Scope.PLAN)}
    services = {(Role.SERVICE, scope) for scope in Scope if scope is not Scope.ADMIN}
    assert allowed == people | services | {(Role.ADMIN, scope) for scope in Scope}
