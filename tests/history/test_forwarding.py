"""New events reach node 4 by a job that is written in their own transaction."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text

from factories import a_student, event, generation, scalar
from student_hub.history.jobs import AT_ONCE, history_handlers
from student_hub.history.schemas import Receipt
from student_hub.history.service import History
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.lab import Lab
from student_hub.nodes.schemas import Recorded
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-forwarded")
JOBS = "SELECT count(*) FROM jobs"


class LabFake(Lab):
    """Node 4 as far as forwarding needs it: remembers what it got, and may be away."""

    def __init__(self) -> None:
        self.got: list[Sequence[Mapping[str, object]]] = []
        self.away = False

    async def record_events(self, events: Sequence[dict[str, object]]) -> Recorded:
        if self.away:
            raise NodeFailed(node="lab-node", tool="record_events", reason=Reason.TIMEOUT)
        self.got.append(events)
        return Recorded(recorded=len(events), repeated=0)


@pytest.fixture
def lab() -> LabFake:
    return LabFake()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Doorbell(lambda _: None))


@pytest.fixture
def forwarding(database: Database, students: Students, ledger: Ledger) -> History:
    return History(database, students, utc_now, forward=ledger)


@pytest.fixture
def workshop(
    database: Database, forwarding: History, students: Students, lab: LabFake, ledger: Ledger
) -> Workshop:
    return Workshop(ledger, history_handlers(database, forwarding, students, lab))


async def test_a_batch_of_new_events_is_one_job_and_reaches_the_lab_as_sent(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """The lab gets what the sender said, in the order of arrival, without the hub's ids."""
    student = await a_student(students)
    sent = [event(student.id, occurred_at=f"2026-01-08T05:30:0{n}Z") for n in range(3)]
    await forwarding.record(SYSTEM, sent)
    assert await scalar(database, JOBS) == 1
    assert await workshop.work(Queue.DEFAULT) == 1
    assert [list(batch) for batch in lab.got] == [sent]


async def test_repeated_and_refused_events_make_no_job(
    forwarding: History, students: Students, database: Database
) -> None:
    """Only new events are forwarded."""
    student = await a_student(students)
    sent = event(student.id)
    await forwarding.record(SYSTEM, [sent])
    await forwarding.record(SYSTEM, [sent, None])
    assert await scalar(database, JOBS) == 1


async def test_without_forwarding_there_is_no_job(
    history: History, students: Students, database: Database
) -> None:
    """A hub that does not forward leaves nothing for workers."""
    student = await a_student(students)
    await history.record(SYSTEM, [event(student.id)])
    assert await scalar(database, JOBS) == 0


async def test_a_large_batch_goes_in_parts(
    forwarding: History, students: Students, lab: LabFake, workshop: Workshop
) -> None:
    """No call holds more than the lab takes at once."""
    student = await a_student(students)
    await forwarding.record(SYSTEM, [event(student.id) for _ in range(AT_ONCE + 1)])
    await workshop.work(Queue.DEFAULT)
    assert [len(batch) for batch in lab.got] == [AT_ONCE, 1]


async def test_what_the_lab_took_in_dates_the_student_again(
    forwarding: History, students: Students, database: Database, workshop: Workshop
) -> None:
    """A profile made between storing and forwarding is stale afterwards."""
    student = await a_student(students)
    await forwarding.record(SYSTEM, [event(student.id)])
    stored = await generation(database, students, student.id)
    await workshop.work(Queue.DEFAULT)
    assert await generation(database, students, student.id) > stored


async def test_a_lab_that_is_away_gets_the_events_later(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """The job stays until the lab has answered."""
    student = await a_student(students)
    await forwarding.record(SYSTEM, [event(student.id)])
    lab.away = True
    await workshop.work(Queue.DEFAULT)
    assert await scalar(database, "SELECT last_error FROM jobs") == "NodeFailed"
    lab.away = False
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE jobs SET not_before = now()"))
    await workshop.work(Queue.DEFAULT)
    assert len(lab.got) == 1
    assert await scalar(database, "SELECT finished_at IS NOT NULL FROM jobs")


async def test_a_student_deleted_meanwhile_does_not_hold_the_job_up(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """Their events are gone; the others' go on."""
    gone, stays = await a_student(students), await a_student(students)
    sent = event(stays.id)
    assert await forwarding.record(SYSTEM, [event(gone.id), sent]) == Receipt(stored=2)
    await students.delete(SYSTEM, gone.id)
    await workshop.work(Queue.DEFAULT)
    assert [e["source_id"] for batch in lab.got for e in batch] == [sent["source_id"]]
    assert await scalar(database, "SELECT finished_at IS NOT NULL AND NOT failed FROM jobs")
