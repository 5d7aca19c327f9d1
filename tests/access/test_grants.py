"""Grants: their shape, their life, and how soon everybody knows, on a real database."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from access.stage import BOUND_S, Counting, Time, an_access, faults_of, said, until_hearing
from factories import READER, a_student
from student_hub.access.errors import GrantExists, GrantNotFound
from student_hub.access.schemas import Grant, GrantFilter, GrantKind, NewGrant, NewKey
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import Role, Scope
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("roles-and-grants")

TEACHER = "teacher-7"
CLASS: dict[str, object] = {
    "kind": "class",
    "school_id": "SCH001",
    "grade": 10,
    "class_name": "1반",
}
LABEL = "class:SCH001:10:1반"
PLACES: dict[str, dict[str, object]] = {
    "school": {"school_id": "SCH001"},
    "grade": {"school_id": "SCH001", "grade": 10},
    "class": {"school_id": "SCH001", "grade": 10, "class_name": "1반"},
    "student": {"student_id": str(uuid4())},
}
EVERY_FIELD: dict[str, object] = {
    field: v for place in PLACES.values() for field, v in place.items()
}


NOTHING: dict[str, object] = dict.fromkeys(EVERY_FIELD)


def a_grant(**fields: object) -> NewGrant:
    return NewGrant.model_validate({"subject": TEACHER, "relation": "homeroom", **CLASS, **fields})


async def grant(access: Access, **fields: object) -> Grant:
    return await access.grants.create(ADMINISTRATOR, a_grant(**fields))


def shapes() -> list[tuple[str, str, str]]:
    """Every way to have one field too few or too many."""
    return [
        (kind, field, "is needed" if field in place else "has no place")
        for kind, place in PLACES.items()
        for field in EVERY_FIELD
    ]


@pytest.mark.parametrize(("kind", "field", "problem"), shapes())
async def test_a_grant_has_exactly_the_fields_of_its_kind(
    access: Access, kind: str, field: str, problem: str
) -> None:
    """One too few and one too many are named, and nothing is granted."""
    place = dict(PLACES[kind])
    if problem == "is needed":
        del place[field]
    else:
        place[field] = EVERY_FIELD[field]
    wish = {"subject": TEACHER, "relation": "homeroom", "kind": kind, **place}
    with pytest.raises(InvalidInput) as refused:
        await access.grants.create(ADMINISTRATOR, NewGrant.model_validate(wish))
    (fault,) = faults_of(refused.value)
    assert fault["field"] == field
    assert fault["problem"].startswith(problem)
    assert (await access.grants.page(ADMINISTRATOR)).grants == []


async def test_every_kind_gives_its_label(access: Access, students: Students) -> None:
    """What a subject may see is the union of all that was granted to it."""
    student = await a_student(students)
    places: dict[str, dict[str, object]] = PLACES | {"student": {"student_id": str(student.id)}}
    for kind, place in places.items():
        await grant(access, **(NOTHING | {"kind": kind} | place))
    assert await access.grants.reach(TEACHER) == {
        "school:SCH001",
        "grade:SCH001:10",
        LABEL,
        f"student:{student.id}",
    }


async def test_a_grant_counts_to_its_last_moment_and_not_from_its_expiry_on(
    access: Access, time: Time
) -> None:
    """Without any news: who remembers a reach knows when the first grant of it ends."""
    await grant(access, expires_at=time.now + timedelta(days=1))
    await grant(access, kind="school", grade=None, class_name=None)
    time.pass_by(days=1, seconds=-1)
    assert await access.grants.reach(TEACHER) == {LABEL, "school:SCH001"}
    time.pass_by(seconds=1)
    assert await access.grants.reach(TEACHER) == {"school:SCH001"}


async def test_an_expiry_is_honoured_by_a_process_that_remembers_and_hears_nothing(
    database: Database, late_listener: Listener, time: Time
) -> None:
    """The reach in memory ends by itself, to the second."""
    access = an_access(database, clock=time, listener=late_listener)
    await until_hearing(late_listener)
    await grant(access, expires_at=time.now + timedelta(seconds=10))
    assert await access.grants.reach(TEACHER) == {LABEL}
    time.pass_by(seconds=9)
    assert await access.grants.reach(TEACHER) == {LABEL}
    time.pass_by(seconds=1)
    assert await access.grants.reach(TEACHER) == frozenset()


@pytest.mark.parametrize("days", [-1, 0, 3_651])
async def test_a_grant_ends_in_the_near_future_or_not_at_all(
    access: Access, time: Time, days: int
) -> None:
    """One that is over already, or lasts beyond ten years, is a mistake."""
    with pytest.raises(InvalidInput, match="expires_at"):
        await grant(access, expires_at=time.now + timedelta(days=days))


async def test_a_revoked_grant_counts_no_more_and_stays_in_the_list(access: Access) -> None:
    """It says when it was revoked; a second time changes nothing."""
    made = await grant(access)
    assert await access.grants.reach(TEACHER) == {LABEL}
    revoked = await access.grants.revoke(ADMINISTRATOR, made.id)
    assert await access.grants.reach(TEACHER) == frozenset()
    assert await access.grants.revoke(ADMINISTRATOR, made.id) == revoked
    assert (await access.grants.page(ADMINISTRATOR)).grants == []
    listed = await access.grants.page(ADMINISTRATOR, GrantFilter(ended=True))
    assert listed.grants == [revoked]


async def test_what_is_granted_already_is_not_granted_twice(access: Access) -> None:
    """Else revoking one would leave the other; for another relation it is another grant."""
    made = await grant(access)
    asked = [grant(access) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [GrantExists] * 3
    await grant(access, relation="subject teacher")
    await access.grants.revoke(ADMINISTRATOR, made.id)
    assert (await grant(access)).id != made.id


async def test_of_many_who_grant_the_same_at_once_one_does(access: Access) -> None:
    """Also when none of them could see another's."""
    asked = [grant(access) for _ in range(4)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Grant) for answer in answers) == 1


async def test_a_student_who_is_not_there_cannot_be_granted(access: Access) -> None:
    """The field is named."""
    nobody = NOTHING | {"kind": "student", "student_id": str(uuid4())}
    with pytest.raises(InvalidInput, match="student_id: there is no such student"):
        await grant(access, **nobody)


async def test_grants_to_a_student_go_with_the_student(
    access: Access, students: Students, owner: Database
) -> None:
    """No row outlives whom it is about."""
    student = await a_student(students)
    own = NOTHING | {"kind": "student", "student_id": str(student.id)}
    await grant(access, **own)
    await said(owner, "DELETE FROM students RETURNING 1")
    ended = await access.grants.page(ADMINISTRATOR, GrantFilter(ended=True))
    assert ended.grants == []


async def test_lists_are_filtered_and_come_in_pages(access: Access, students: Students) -> None:
    """By subject, by class, by student; each grant is on one page."""
    student = await a_student(students)
    own = NOTHING | {"kind": "student", "student_id": str(student.id)}
    made = [
        await grant(access),
        await grant(access, subject="teacher-8"),
        await grant(access, class_name="2반"),
        await grant(access, **own, subject="parent-1", relation="guardian"),
    ]
    filters = [
        (GrantFilter(subject=TEACHER), [0, 2]),
        (GrantFilter(school_id="SCH001", grade=10, class_name="1반"), [0, 1]),
        (GrantFilter(student_id=student.id), [3]),
    ]
    for wanted, expected in filters:
        page = await access.grants.page(ADMINISTRATOR, wanted)
        assert {found.id for found in page.grants} == {made[index].id for index in expected}
    assert await walked(access) == sorted(found.id for found in made)


async def walked(access: Access) -> list[UUID]:
    """The ids of all grants, three to a page."""
    ids: list[UUID] = []
    cursor = None
    while True:
        page = await access.grants.page(ADMINISTRATOR, cursor=cursor, limit=3)
        ids += [found.id for found in page.grants]
        if (cursor := page.next) is None:
            return ids


async def test_only_an_administrator_grants_lists_and_revokes(access: Access) -> None:
    """A reader can neither; an unknown grant is told from one that is there."""
    with pytest.raises(NotAllowed):
        await access.grants.create(READER, a_grant())
    with pytest.raises(NotAllowed):
        await access.grants.page(READER)
    with pytest.raises(NotAllowed):
        await access.grants.revoke(READER, uuid4())
    with pytest.raises(GrantNotFound):
        await access.grants.revoke(ADMINISTRATOR, uuid4())


async def test_a_bearer_has_the_reach_of_the_subject_that_the_key_was_issued_for(
    access: Access,
) -> None:
    """Two keys of one teacher see the same; a key of nobody's has a subject of its own."""
    wanted = NewKey(name="x", scopes={Scope.READ}, role=Role.TEACHER, subject=TEACHER)
    keys = [await access.create_key(ADMINISTRATOR, wanted) for _ in range(2)]
    own = await access.create_key(ADMINISTRATOR, wanted.model_copy(update={"subject": None}))
    await grant(access)
    await grant(access, subject=f"key:{own.id}", class_name="2반")
    reaches = [(await access.authenticate(key.key)).reach for key in (*keys, own)]
    assert reaches == [frozenset({label}) for label in (LABEL, LABEL, "class:SCH001:10:2반")]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE])
async def test_administrators_and_services_need_no_grants(access: Access, role: Role) -> None:
    """Their reach is everything, and no grant narrows it."""
    wanted = NewKey(name="x", scopes={Scope.READ}, role=role, subject=TEACHER)
    issued = await access.create_key(ADMINISTRATOR, wanted)
    await grant(access)
    assert (await access.authenticate(issued.key)).reach is None


async def test_a_process_that_remembers_a_reach_soon_hears_that_it_has_changed(
    database: Database, owner: Database, listener: Listener
) -> None:
    """What another process grants and revokes is known here by notification, not by asking."""
    here = an_access(database)
    elsewhere = an_access(database, listener=listener)
    await until_hearing(listener)
    assert await elsewhere.grants.reach(TEACHER) == frozenset()
    made = await grant(here)
    await until_reach(elsewhere, {LABEL})
    await here.grants.revoke(ADMINISTRATOR, made.id)
    await until_reach(elsewhere, set())
    await grant(here, kind=GrantKind.GRADE, class_name=None)
    await until_reach(elsewhere, {"grade:SCH001:10"})
    moved = "UPDATE grants SET expires_at = now() - interval '1 day' RETURNING 1"
    await said(owner, moved)
    await until_reach(elsewhere, set())


async def test_the_process_that_grants_and_revokes_does_not_wait_for_the_news(
    database: Database, late_listener: Listener
) -> None:
    """The very next request knows, though the notification has not come yet."""
    access = an_access(database, listener=late_listener)
    await until_hearing(late_listener)
    assert await access.grants.reach(TEACHER) == frozenset()
    made = await grant(access)
    assert await access.grants.reach(TEACHER) == {LABEL}
    await access.grants.revoke(ADMINISTRATOR, made.id)
    assert await access.grants.reach(TEACHER) == frozenset()


async def test_many_who_ask_at_once_for_an_unknown_reach_share_one_look(
    database_url: str, late_listener: Listener
) -> None:
    """A class that opens its tablets at nine is one query for each subject, not thirty."""
    counting = Counting(database_url)
    access = an_access(counting, listener=late_listener)
    await until_hearing(late_listener)
    await grant(access)
    before = counting.count
    reaches = await asyncio.gather(*(access.grants.reach(TEACHER) for _ in range(30)))
    assert (set(reaches), counting.count - before) == ({frozenset({LABEL})}, 1)
    await counting.close()


async def until_reach(access: Access, labels: set[str]) -> None:
    async with asyncio.timeout(BOUND_S):
        while await access.grants.reach(TEACHER) != labels:  # noqa: ASYNC110 (the news is awaited)
            await asyncio.sleep(0.005)
