"""A student who is not to be processed: no event of theirs comes in or goes out."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from doorway import an_audit
from factories import a_student, event, scalar
from student_hub.history.importing.ndjson import Ndjson
from student_hub.history.importing.runner import Importer
from student_hub.history.jobs import history_handlers
from student_hub.history.schemas import Code
from student_hub.history.service import History
from student_hub.nodes.lab import Lab
from student_hub.nodes.schemas import Recorded
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.students.consents import Consents
from student_hub.students.schemas import ProcessingIn, State, Student
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("processing-stopped")


class LabFake(Lab):
    """Node 4 as far as forwarding needs it."""

    def __init__(self) -> None:
        self.got: list[object] = []

    async def record_events(self, events: Sequence[dict[str, object]]) -> Recorded:
        self.got += [event["source_id"] for event in events]
        return Recorded(recorded=len(events))


@pytest.fixture
def lab() -> LabFake:
    return LabFake()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Doorbell(lambda _: None))


@pytest.fixture
def forwarding(database: Database, students: Students, ledger: Ledger) -> History:
    return History(database, students, utc_now, an_audit(database), forward=ledger)


@pytest.fixture
def workshop(
    database: Database, students: Students, forwarding: History, ledger: Ledger, lab: LabFake
) -> Workshop:
    return Workshop(ledger, history_handlers(database, forwarding, students, lab, ledger))


@pytest.fixture
def consents(database: Database, students: Students) -> Consents:
    return Consents(database, students, an_audit(database), utc_now)


async def put(consents: Consents, student: Student, state: State) -> None:
    wanted = ProcessingIn.model_validate({"state": state, "reason": "보호자 요청"})
    await consents.set_processing(SYSTEM, student.id, wanted)


async def test_new_events_of_a_stopped_student_are_refused_with_a_code_of_their_own(
    students: Students, history: History, consents: Consents
) -> None:
    """Others' events in the batch are stored; after resuming theirs are too."""
    stopped, other = await a_student(students), await a_student(students)
    await put(consents, stopped, State.STOPPED)
    sent = event(stopped.id)
    receipt = await history.record(SYSTEM, [sent, event(other.id), event(stopped.id)])
    assert receipt.stored == 1
    assert [(r.index, r.field, r.code) for r in receipt.refused] == [
        (0, "student_id", Code.PROCESSING_STOPPED),
        (2, "student_id", Code.PROCESSING_STOPPED),
    ]
    assert "stopped" in receipt.refused[0].problem
    await put(consents, stopped, State.OPEN)
    assert (await history.record(SYSTEM, [sent])).stored == 1


async def test_a_student_who_awaits_consent_is_refused_alike(
    database: Database, keyring: Keyring
) -> None:
    """The problem says which of the two it is."""
    strict = Students(database, keyring, utc_now, an_audit(database), consent_up_to_grade=6)
    young = await a_student(strict, grade=1)
    receipt = await History(database, strict, utc_now, an_audit(database)).record(
        SYSTEM, [event(young.id)]
    )
    assert [refused.code for refused in receipt.refused] == [Code.PROCESSING_STOPPED]
    assert "awaiting_consent" in receipt.refused[0].problem


async def test_an_import_obeys_the_stop(
    students: Students,
    history: History,
    consents: Consents,
    database: Database,
    tmp_path: Path,
) -> None:
    """A file is no way around it: the line is refused by its number."""
    stopped, other = await a_student(students), await a_student(students)
    await put(consents, stopped, State.STOPPED)
    lines = [{"kind": "event", "event": event(one.id)} for one in (stopped, other)]
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    importer = Importer(database, students, history, utc_now)
    report = await importer.run(file, Ndjson(), lambda _: None)
    assert (report.stored, report.refused) == (1, 1)
    assert [(refusal.line, refusal.field) for refusal in report.refusals] == [(1, "student_id")]


async def test_events_that_wait_for_forwarding_are_held_back_and_go_on_after_resuming(
    students: Students,
    forwarding: History,
    consents: Consents,
    database: Database,
    lab: LabFake,
    workshop: Workshop,
) -> None:
    """What was queued before the stop stays here meanwhile, and is not lost."""
    stopped, other = await a_student(students), await a_student(students)
    held, free = event(stopped.id), event(other.id)
    await forwarding.record(SYSTEM, [held, free])
    await put(consents, stopped, State.STOPPED)
    await workshop.work(Queue.DEFAULT)
    assert lab.got == [free["source_id"]]
    await look_again(database, workshop)
    assert lab.got == [free["source_id"]]
    await put(consents, stopped, State.OPEN)
    await look_again(database, workshop)
    assert lab.got == [free["source_id"], held["source_id"]]
    assert await scalar(database, "SELECT count(*) FROM jobs WHERE finished_at IS NULL") == 0


async def test_held_events_wait_an_hour_between_looks(
    students: Students,
    forwarding: History,
    consents: Consents,
    database: Database,
    workshop: Workshop,
) -> None:
    """A stop of months is no load."""
    student = await a_student(students)
    await forwarding.record(SYSTEM, [event(student.id)])
    await put(consents, student, State.STOPPED)
    assert await workshop.work(Queue.DEFAULT) == 1
    due = "SELECT not_before - now() FROM jobs WHERE finished_at IS NULL"
    assert timedelta(minutes=50) < await waiting(database, due) <= timedelta(hours=1)


async def waiting(database: Database, query: str) -> timedelta:
    found = await scalar(database, query)
    assert isinstance(found, timedelta)
    return found


async def look_again(database: Database, workshop: Workshop) -> None:
    """Runs what waits, whenever it is due."""
    async with database.transaction(SYSTEM) as tx:
        await tx.session.execute(text("UPDATE jobs SET not_before = now()"))
    await workshop.work(Queue.DEFAULT)
