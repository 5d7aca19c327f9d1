"""Who can see a student, and why: one call, agreeing with what the policy does."""

import pytest

from access.stage import Time, an_access
from factories import a_student
from student_hub.access.policy import may_see
from student_hub.access.schemas import ByGrant, ByRole, NewGrant, NewKey
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.students.schemas import Student
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("who-can-see")

WISHES: dict[str, dict[str, object]] = {
    "school": {"kind": "school", "school_id": "SCH001"},
    "grade": {"kind": "grade", "school_id": "SCH001", "grade": 10},
    "class": {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"},
    "other class": {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "2반"},
    "other grade": {"kind": "grade", "school_id": "SCH001", "grade": 11},
    "other school": {"kind": "school", "school_id": "SCH002"},
}
REACHING = {"school", "grade", "class", "self"}


@pytest.fixture
async def student(students: Students) -> Student:
    return await a_student(students)


async def give(access: Access, subject: str, **place: object) -> None:
    wish = NewGrant.model_validate({"subject": subject, "relation": "head", **place})
    await access.grants.create(ADMINISTRATOR, wish)


async def give_all(access: Access, student: Student) -> None:
    for subject, place in WISHES.items():
        await give(access, subject, **place)
    await give(access, "self", relation="self", kind="student", student_id=str(student.id))


async def test_every_grant_that_reaches_the_student_is_there_and_no_other(
    access: Access, student: Student
) -> None:
    """By school, grade, class or name, each with its reason."""
    await give_all(access, student)
    listed = (await access.viewers_of(ADMINISTRATOR, student)).viewers
    reasons = {v.subject: v.because for v in listed if isinstance(v.because, ByGrant)}
    assert reasons.keys() == REACHING
    assert reasons["self"].model_dump(mode="json") == {
        "by": "grant",
        "kind": "student",
        "relation": "self",
        "granted_by": "key:administrator",
        "since": "2026-03-02T09:00:00Z",
        "expires_at": None,
    }


async def test_whoever_is_listed_may_see_the_student_and_nobody_else(
    access: Access, student: Student
) -> None:
    """The list and the policy are two ways to one answer."""
    await give_all(access, student)
    listed = {v.subject for v in (await access.viewers_of(ADMINISTRATOR, student)).viewers}
    for subject in (*WISHES, "self", "stranger"):
        reach = await access.grants.reach(subject)
        caller = Caller(subject, frozenset({Scope.READ}), Role.TEACHER, reach)
        assert may_see(caller, student) is (subject in listed)


async def test_keys_whose_role_sees_everybody_are_named(access: Access, student: Student) -> None:
    """Those that may read and are good now; the administrator key of the settings comes first."""
    read, write = {Scope.READ}, {Scope.WRITE}
    wanted = [
        NewKey(name="dashboard", scopes=read),
        NewKey(name="operator", scopes=read, role=Role.ADMIN),
        NewKey(name="importer", scopes=write),
        NewKey(name="teacher", scopes=read, role=Role.TEACHER),
        NewKey(name="revoked", scopes=read),
    ]
    keys = [await access.create_key(ADMINISTRATOR, wish) for wish in wanted]
    await access.revoke_key(ADMINISTRATOR, keys[-1].id)
    listed = (await access.viewers_of(ADMINISTRATOR, student)).viewers
    named = [(v.because.key, v.role) for v in listed if isinstance(v.because, ByRole)]
    assert named[0] == ("the administrator key of the settings", Role.ADMIN)
    assert sorted(named[1:]) == [("dashboard", Role.SERVICE), ("operator", Role.ADMIN)]


async def test_a_subject_with_a_key_has_a_known_role_and_one_with_tokens_alone_has_none(
    access: Access, student: Student
) -> None:
    """Only its issuer knows the role of a token."""
    key = NewKey(name="x", scopes={Scope.READ}, role=Role.PARENT, subject="parent-1")
    await access.create_key(ADMINISTRATOR, key)
    for subject in ("parent-1", "oidc:school:42"):
        await give(access, subject, relation="guardian", kind="student", student_id=str(student.id))
    listed = (await access.viewers_of(ADMINISTRATOR, student)).viewers
    roles = {v.subject: v.role for v in listed}
    assert (roles["parent-1"], roles["oidc:school:42"]) == (Role.PARENT, None)


async def test_without_a_first_key_no_such_viewer_is_named(
    database: Database, student: Student, time: Time
) -> None:
    """What nobody has is in no list."""
    access = an_access(database, administrator_key=None, clock=time)
    assert (await access.viewers_of(ADMINISTRATOR, student)).viewers == []


async def test_who_sees_not_all_is_not_given_half_a_list(
    access: Access, database: Database, student: Student
) -> None:
    """A teacher's transaction sees their own grants alone: the operation refuses to run in it."""
    teacher = Caller("t", frozenset({Scope.READ}), Role.TEACHER, frozenset())
    async with database.transaction(teacher) as tx:
        with pytest.raises(ValueError, match="not every grant"):
            await access.viewers(tx, student)
    async with database.transaction(SYSTEM) as tx:
        assert len(await access.viewers(tx, student)) == 1
