"""Consents and the stop of processing: who may still be worked on, and since when not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from doorway import an_audit, echo_app, furnished, in_process
from factories import READER, WRITER, a_student, generation
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.errors import InvalidInput, NotAllowed
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.students.consents import Consents
from student_hub.students.errors import ConsentNotFound, StudentNotFound
from student_hub.students.permitting_routes import router
from student_hub.students.schemas import (
    ConsentIn,
    Method,
    Processing,
    ProcessingIn,
    Relation,
    State,
    StudentPatch,
)
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("consent")
STOP = ProcessingIn(state=State.STOPPED, reason="보호자 요청")
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
RESUME = ProcessingIn(state=State.OPEN, reason="보호자 재요청")


def consent(**fields: object) -> ConsentIn:
    said = {"purpose": "learning", "version": "2026-03", "method": Method.WRITTEN}
    return ConsentIn.model_validate({**said, "given_by_relation": Relation.MOTHER, **fields})


@pytest.fixture
def strict(database: Database, keyring: Keyring) -> Students:
    """A register that asks for a guardian's consent up to grade 6."""
    return Students(database, keyring, utc_now, an_audit(database), consent_up_to_grade=6)


@pytest.fixture
def consents(database: Database, strict: Students) -> Consents:
    return Consents(database, strict, an_audit(database), utc_now)


async def state(database: Database, students: Students, student_id: UUID) -> State:
    """What the hot path goes by."""
    async with database.transaction(SYSTEM) as tx:
        return (await students.glance(tx, student_id)).processing


async def test_a_young_student_awaits_a_guardians_consent(
    strict: Students, consents: Consents, database: Database
) -> None:
    """Up to the grade of the setting, and above it nobody does."""
    young, old = await a_student(strict, grade=6), await a_student(strict, grade=7)
    assert await state(database, strict, young.id) is State.AWAITING_CONSENT
    assert await state(database, strict, old.id) is State.OPEN
    given = await consents.give(SYSTEM, young.id, consent())
    assert await state(database, strict, young.id) is State.OPEN
    assert await consents.of_student(SYSTEM, young.id) == [given]
    assert given.recorded_by == SYSTEM.subject


async def test_a_hub_that_asks_for_none_is_open_to_all(
    students: Students, database: Database
) -> None:
    """With CONSENT_UP_TO_GRADE=0 the school answers for the consents itself."""
    first_grader = await a_student(students, grade=1)
    assert await state(database, students, first_grader.id) is State.OPEN


@pytest.mark.parametrize(
    "other", [{"given_by_relation": Relation.SELF}, {"purpose": "research"}], ids=str
)
async def test_a_childs_own_consent_or_one_for_something_else_does_not_do(
    strict: Students, consents: Consents, database: Database, other: dict[str, object]
) -> None:
    """Under 14 the law wants the guardian's, and for this purpose."""
    student = await a_student(strict, grade=3)
    await consents.give(SYSTEM, student.id, consent(**other))
    assert await state(database, strict, student.id) is State.AWAITING_CONSENT


async def test_withdrawing_the_last_consent_stops_and_a_new_one_does_not_resume(
    strict: Students, consents: Consents, database: Database
) -> None:
    """Going on is asked for by itself."""
    student = await a_student(strict, grade=3)
    first = await consents.give(SYSTEM, student.id, consent())
    second = await consents.give(SYSTEM, student.id, consent(given_by_relation=Relation.FATHER))
    withdrawn = await consents.withdraw(SYSTEM, student.id, first.id)
    assert withdrawn.withdrawn_by == SYSTEM.subject
    assert await state(database, strict, student.id) is State.OPEN
    await consents.withdraw(SYSTEM, student.id, second.id)
    assert await state(database, strict, student.id) is State.STOPPED
    assert (await consents.processing(SYSTEM, student.id)).reason == "consent_withdrawn"
    await consents.give(SYSTEM, student.id, consent(version="2026-11"))
    assert await state(database, strict, student.id) is State.STOPPED
    resumed = await consents.set_processing(SYSTEM, student.id, RESUME)
    assert (resumed.state, resumed.by) == (State.OPEN, SYSTEM.subject)


async def test_an_older_students_withdrawal_stops_as_well(
    strict: Students, consents: Consents, database: Database
) -> None:
    """Whoever had consented and takes it back is not processed, needed or not."""
    student = await a_student(strict, grade=12)
    given = await consents.give(SYSTEM, student.id, consent(given_by_relation=Relation.SELF))
    await consents.withdraw(SYSTEM, student.id, given.id)
    assert await state(database, strict, student.id) is State.STOPPED


async def test_withdrawing_another_purpose_stops_nothing(
    strict: Students, consents: Consents, database: Database
) -> None:
    """Learning goes on when research may not."""
    student = await a_student(strict, grade=9)
    given = await consents.give(SYSTEM, student.id, consent(purpose="research"))
    await consents.withdraw(SYSTEM, student.id, given.id)
    assert await state(database, strict, student.id) is State.OPEN


async def test_a_stop_needs_no_consent_and_resuming_does_not_replace_one(
    strict: Students, consents: Consents
) -> None:
    """처리정지 works for everybody; a child without consent goes back to awaiting it."""
    child, adult = await a_student(strict, grade=2), await a_student(strict, grade=12)
    for student in (child, adult):
        stopped = await consents.set_processing(SYSTEM, student.id, STOP)
        assert (stopped.state, stopped.reason) == (State.STOPPED, STOP.reason)
    after = await consents.set_processing(SYSTEM, child.id, RESUME)
    assert after == Processing(state=State.AWAITING_CONSENT, reason="consent_needed")
    assert (await consents.set_processing(SYSTEM, adult.id, RESUME)).state is State.OPEN


async def test_moving_to_a_younger_grade_is_seen_at_once(
    strict: Students, database: Database
) -> None:
    """The state follows the register; nothing has to be run after a change of grade."""
    student = await a_student(strict, grade=7)
    await strict.update(SYSTEM, student.id, StudentPatch(grade=6))
    assert await state(database, strict, student.id) is State.AWAITING_CONSENT


async def test_every_change_gives_a_new_generation(
    strict: Students, consents: Consents, database: Database
) -> None:
    """Nobody goes by what they remember of a state."""
    student = await a_student(strict, grade=3)
    seen = [await generation(database, strict, student.id)]
    given = await consents.give(SYSTEM, student.id, consent())
    seen.append(await generation(database, strict, student.id))
    await consents.set_processing(SYSTEM, student.id, STOP)
    seen.append(await generation(database, strict, student.id))
    await consents.withdraw(SYSTEM, student.id, given.id)
    seen.append(await generation(database, strict, student.id))
    assert seen == sorted(set(seen))


async def test_a_consent_said_twice_is_one_consent(
    strict: Students, consents: Consents, database: Database
) -> None:
    """So that withdrawing it once is enough; withdrawn twice it keeps its first date."""
    student = await a_student(strict, grade=3)
    one, two = await asyncio.gather(
        *(consents.give(SYSTEM, student.id, consent()) for _ in range(2))
    )
    assert one == two
    first = await consents.withdraw(SYSTEM, student.id, one.id)
    assert await consents.withdraw(SYSTEM, student.id, one.id) == first
    assert await state(database, strict, student.id) is State.STOPPED


async def test_a_consent_cannot_be_of_the_future_or_of_another_student(
    strict: Students, consents: Consents
) -> None:
    """Nor can one be withdrawn by another student's id."""
    one, other = await a_student(strict), await a_student(strict)
    given = await consents.give(SYSTEM, one.id, consent())
    with pytest.raises(ConsentNotFound):
        await consents.withdraw(SYSTEM, other.id, given.id)
    ahead = utc_now() + timedelta(days=1)
    with pytest.raises(InvalidInput, match="given_at"):
        await consents.give(SYSTEM, one.id, consent(given_at=ahead))
    for call in (
        consents.give(SYSTEM, uuid4(), consent()),
        consents.of_student(SYSTEM, uuid4()),
        consents.set_processing(SYSTEM, uuid4(), STOP),
        consents.processing(SYSTEM, uuid4()),
    ):
        with pytest.raises(StudentNotFound):
            await call


async def test_reading_and_changing_consents_need_their_scopes(
    strict: Students, consents: Consents
) -> None:
    """Whoever may only read changes nothing, and a key that may only write learns nothing."""
    student = await a_student(strict)
    for call in (
        consents.give(READER, student.id, consent()),
        consents.withdraw(READER, student.id, uuid4()),
        consents.set_processing(READER, student.id, STOP),
        consents.give(WRITER, student.id, consent()),
        consents.of_student(WRITER, student.id),
        consents.processing(WRITER, student.id),
    ):
        with pytest.raises(NotAllowed):
            await call


async def test_a_stop_waits_for_what_is_being_stored_and_is_obeyed_by_the_next(
    strict: Students, consents: Consents, database: Database, owner: asyncpg.Connection
) -> None:
    """Between a stop's commit and its being obeyed there is no gap, whoever comes when."""
    student = await a_student(strict)
    async with database.transaction(SYSTEM) as storing:
        await strict.existing(storing, [student.id])
        stopping = asyncio.create_task(consents.set_processing(SYSTEM, student.id, STOP))
        async with asyncio.timeout(10):
            while not await owner.fetchval(WAITING):
                assert not stopping.done()
        assert await strict.not_open(storing, [student.id]) == {}
        assert not stopping.done()
    await stopping
    async with database.transaction(SYSTEM) as storing:
        assert await strict.existing(storing, [student.id]) == {student.id}
        assert await strict.not_open(storing, [student.id]) == {student.id: State.STOPPED}


@pytest.fixture
async def client(database: Database, students: Students) -> AsyncIterator[httpx2.AsyncClient]:
    parts = furnished(database)
    parts.put(Consents(database, students, an_audit(database), utc_now))
    async with in_process(echo_app(parts, routers=[router])) as client:
        yield client


async def test_consents_and_stops_over_rest(client: httpx2.AsyncClient, students: Students) -> None:
    """Give, list, withdraw, read the state, resume."""
    path = f"/v1/students/{(await a_student(students)).id}"
    given = await client.post(f"{path}/consents", json=consent().model_dump(mode="json"))
    assert given.status_code == 201
    assert (await client.get(f"{path}/consents")).json() == [given.json()]
    taken = await client.post(f"{path}/consents/{given.json()['id']}/withdraw")
    assert taken.json()["withdrawn_at"] is not None
    assert (await client.get(f"{path}/processing")).json()["state"] == "stopped"
    resumed = await client.put(f"{path}/processing", json=RESUME.model_dump(mode="json"))
    assert resumed.json()["state"] == "open"


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("processing", {"state": "awaiting_consent", "reason": "x"}, "state"),
        ("processing", {"state": "stopped"}, "reason"),
        ("processing", {"state": "stopped", "reason": " "}, "reason"),
        ("consents", {"purpose": "Learning!", "version": "1", "method": "written"}, "purpose"),
        ("consents", {"purpose": "learning", "version": "1", "method": "shouted"}, "method"),
    ],
)
async def test_bad_input_names_the_field(
    client: httpx2.AsyncClient, students: Students, call: str, body: object, field: str
) -> None:
    """A 4xx problem whose errors name the field."""
    path = f"/v1/students/{(await a_student(students)).id}/{call}"
    method = "PUT" if call == "processing" else "POST"
    answer = await client.request(method, path, json=body)
    assert 400 <= answer.status_code < 500
    assert field in [error["field"] for error in answer.json()["errors"]]
