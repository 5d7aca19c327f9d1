"""With the policy in the code taken away, PostgreSQL still shows nobody a foreign student."""

import inspect
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from doorway import an_audit
from factories import a_grant, a_student, event, student_in
from profiles.stage import Stage
from student_hub.access.policy import may_see
from student_hub.history.errors import EventNotFound
from student_hub.history.schemas import EventKey
from student_hub.history.service import History
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.profiles.service import Profiles
from student_hub.students.consents import Consents
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import Student, StudentFilter, StudentPatch
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("row-level-security")
KIM = "oidc:school:kim"
OWN = {"school_id": "SCH007", "grade": 10, "class_name": "1반"}
ELSEWHERE = (
    {**OWN, "class_name": "2반"},
    {**OWN, "grade": 11},
    {**OWN, "school_id": "SCH008"},
)
ANY_REACH = frozenset({"class:SCH007:10:1반"})
SCOPES = frozenset({Scope.READ, Scope.WRITE})
TEACHER = Caller(KIM, SCOPES, Role.TEACHER, ANY_REACH)


@dataclass
class Rooms:
    """The services that read students, one student of the teacher's, and foreign ones."""

    students: Students
    history: History
    profiles: Profiles
    consents: Consents
    own: Student
    foreign: list[Student]


Reads = Callable[[Rooms, UUID], Awaitable[set[UUID]]]


@pytest.fixture
async def rooms(stage: Stage, database: Database, owner: asyncpg.Connection) -> Rooms:
    students, history = (
        stage.students,
        History(database, stage.students, utc_now, an_audit(database)),
    )
    own = await a_student(students, **OWN)
    foreign = [await a_student(students, **place) for place in ELSEWHERE]
    await history.record(SYSTEM, [event(student.id) for student in (own, *foreign)])
    await a_grant(owner, KIM, "class", **OWN)
    consents = Consents(database, students, an_audit(database), utc_now)
    return Rooms(students, history, stage.profiles, consents, own, foreign)


@pytest.fixture
def no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every room is told that everybody may see everybody."""
    for name, module in list(sys.modules.items()):
        if name.startswith("student_hub.") and getattr(module, "may_see", None) is may_see:
            monkeypatch.setattr(module, "may_see", lambda _caller, _student: True)


async def read(rooms: Rooms, student_id: UUID) -> set[UUID]:
    return {(await rooms.students.read(TEACHER, student_id)).id}


async def page(rooms: Rooms, _student_id: UUID) -> set[UUID]:
    return {student.id for student in (await rooms.students.page(TEACHER)).students}


async def search(rooms: Rooms, student_id: UUID) -> set[UUID]:
    name = (await rooms.students.read(SYSTEM, student_id)).name
    found = await rooms.students.page(TEACHER, StudentFilter(name=name))
    return {student.id for student in found.students}


async def recall(rooms: Rooms, student_id: UUID) -> set[UUID]:
    return {(await rooms.students.recall(TEACHER, student_id)).student.id}


async def events(rooms: Rooms, student_id: UUID) -> set[UUID]:
    found = await rooms.history.of_student(TEACHER, student_id)
    return {event.student_id for event in found.events}


async def consents(rooms: Rooms, student_id: UUID) -> set[UUID]:
    await rooms.consents.of_student(TEACHER, student_id)
    return {student_id}


async def processing(rooms: Rooms, student_id: UUID) -> set[UUID]:
    await rooms.consents.processing(TEACHER, student_id)
    return {student_id}


async def profile(rooms: Rooms, student_id: UUID) -> set[UUID]:
    return {UUID(json.loads(await rooms.profiles.get(TEACHER, student_id))["student_id"])}


async def profiles(rooms: Rooms, student_id: UUID) -> set[UUID]:
    answer = await rooms.profiles.get_many(TEACHER, [student_id, rooms.own.id])
    entries = json.loads(answer)["profiles"]
    return {UUID(entry["student_id"]) for entry in entries if entry.get("profile")}


READS: Mapping[str, Reads] = {
    "Students.read": read,
    "Students.page": page,
    "Students.page by name": search,
    "Students.recall": recall,
    "History.of_student": events,
    "Consents.of_student": consents,
    "Consents.processing": processing,
    "Profiles.get": profile,
    "Profiles.get_many": profiles,
}
WRITES = {
    "Students.create",
    "Students.update",
    "Students.import_many",
    "History.record",
    "History.void",
    "Consents.give",
    "Consents.withdraw",
    "Consents.set_processing",
}
THE_SAME_AS = {"Profiles.reply": "Profiles.get"}


def test_every_use_case_of_these_rooms_is_known_here() -> None:
    """A new way to read a student is tried against the second wall, or this fails."""
    found = {
        f"{kind.__name__}.{name}"
        for kind in (Students, History, Consents, Profiles)
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if not name.startswith("_")
        and list(inspect.signature(method).parameters)[1:2] == ["caller"]
    }
    known = {name.partition(" ")[0] for name in READS} | WRITES | THE_SAME_AS.keys()
    assert found <= known


@pytest.mark.usefixtures("no_policy")
@pytest.mark.parametrize("operation", READS)
async def test_no_read_shows_a_foreign_student(rooms: Rooms, operation: str) -> None:
    """Another class, another grade, another school: 0 rows. One's own class is seen."""
    seen = READS[operation]
    assert rooms.own.id in await seen(rooms, rooms.own.id)
    for student in rooms.foreign:
        try:
            shown = await seen(rooms, student.id)
        except StudentNotFound:
            shown = set()
        assert shown <= {rooms.own.id}


@pytest.mark.usefixtures("no_policy")
async def test_no_write_reaches_a_foreign_student(rooms: Rooms, database: Database) -> None:
    """Changing is not found, recording is refused, and nobody is moved out of or into sight."""
    foreign = rooms.foreign[0]
    before = await rooms.students.read(SYSTEM, foreign.id)
    sent = event(foreign.id)
    await rooms.history.record(SYSTEM, [sent])
    with pytest.raises(StudentNotFound):
        await rooms.students.update(TEACHER, foreign.id, StudentPatch(name="남"))
    with pytest.raises(EventNotFound):
        await rooms.history.void(TEACHER, EventKey(source_node=4, source_id=str(sent["source_id"])))
    receipt = await rooms.history.record(TEACHER, [event(foreign.id)])
    assert [refused.code for refused in receipt.refused] == ["unknown_student"]
    async with database.transaction(TEACHER) as tx:
        await tx.session.execute(text("DELETE FROM learning_history"))
    assert await rooms.students.read(SYSTEM, foreign.id) == before
    assert len((await rooms.history.of_student(SYSTEM, foreign.id)).events) == 2
    assert not (await rooms.history.of_student(SYSTEM, rooms.own.id)).events


@pytest.mark.usefixtures("no_policy")
@pytest.mark.parametrize("place", ELSEWHERE, ids=["class", "grade", "school"])
async def test_nobody_is_moved_or_put_out_of_ones_own_sight(
    rooms: Rooms, place: dict[str, object]
) -> None:
    """Who sees a class can neither send a student of it elsewhere nor make one there."""
    with pytest.raises(DBAPIError, match="row-level security"):
        await rooms.students.update(
            TEACHER, rooms.own.id, StudentPatch.model_validate({**place, "student_number": "77"})
        )
    with pytest.raises(DBAPIError, match="row-level security"):
        await rooms.students.create(TEACHER, student_in(**place))
    assert await rooms.students.read(SYSTEM, rooms.own.id) == rooms.own


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    listener = Listener(database_url)
    yield listener
    await listener.close()


@pytest.mark.usefixtures("no_policy")
async def test_what_others_have_made_a_process_remember_is_shown_to_nobody_else(
    rooms: Rooms,
    database: Database,
    keyring: Keyring,
    listener: Listener,
    owner: asyncpg.Connection,
) -> None:
    """A glance is remembered for each viewer, and no longer than their grants last."""
    students = Students(database, keyring, utc_now, an_audit(database), listener)
    while not listener.hears:
        await owner.execute("SELECT 1")
    foreign = rooms.foreign[0].id
    await students.recall(SYSTEM, foreign)
    with pytest.raises(StudentNotFound):
        await students.recall(TEACHER, foreign)
    await students.recall(TEACHER, rooms.own.id)
    assert students.remembered(TEACHER, rooms.own.id) is not None
    await owner.execute("UPDATE grants SET revoked_at = now() WHERE subject = $1", KIM)
    while students.remembered(TEACHER, rooms.own.id) is not None:
        await owner.execute("SELECT 1")
    with pytest.raises(StudentNotFound):
        await students.recall(TEACHER, rooms.own.id)
    assert students.remembered(SYSTEM, foreign) is not None
