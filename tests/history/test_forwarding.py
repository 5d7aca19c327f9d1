"""New events reach node 4 by a job that is written in their own transaction."""

from collections.abc import Mapping, Sequence

import orjson
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from doorway import an_audit
from factories import a_student, event, generation, scalar, take_away
from student_hub.history.jobs import history_handlers
from student_hub.history.portions import AT_ONCE, MOST_BYTES
from student_hub.history.schemas import Receipt
from student_hub.history.service import History
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.lab import Lab
from student_hub.nodes.schemas import Recorded
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.job import MOST_ATTEMPTS
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

pytestmark = pytest.mark.requirement("history-forwarded")
JOBS = "SELECT count(*) FROM jobs"


class LabFake(Lab):
    """Node 4 as far as forwarding needs it: keeps what it got, may be away, may refuse events."""

    def __init__(self) -> None:
        self.got: list[Sequence[Mapping[str, object]]] = []
        self.fails: Reason | None = None
        self.poison: set[object] = set()
        self.calls_left = 1_000_000

    async def record_events(self, events: Sequence[dict[str, object]]) -> Recorded:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise NodeFailed(node="lab-node", tool="record_events", reason=Reason.TIMEOUT)
        poisoned = any(event["source_id"] in self.poison for event in events)
        if reason := self.fails or (Reason.ERROR if poisoned else None):
            raise NodeFailed(node="lab-node", tool="record_events", reason=reason)
        known = set(self.known)
        self.got.append(events)
        new = sum(event["source_id"] not in known for event in events)
        return Recorded(recorded=new, repeated=len(events) - new)

    @property
    def known(self) -> list[object]:
        """The source ids of all that it got."""
        return [event["source_id"] for batch in self.got for event in batch]


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
    database: Database, forwarding: History, students: Students, lab: LabFake, ledger: Ledger
) -> Workshop:
    return Workshop(ledger, history_handlers(database, forwarding, students, lab, ledger))


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
    """No call holds more than the lab takes at once, and each is a job of its own."""
    student = await a_student(students)
    await forwarding.record(SYSTEM, [event(student.id) for _ in range(AT_ONCE + 1)])
    assert await workshop.work(Queue.DEFAULT) == 2
    assert [len(batch) for batch in lab.got] == [AT_ONCE, 1]


async def test_large_events_go_in_small_parts(
    forwarding: History, students: Students, lab: LabFake, workshop: Workshop
) -> None:
    """No call holds more than a MiB of content; nothing is left out, and the order stays."""
    student = await a_student(students)
    sent = [event(student.id, content={"x": "가" * 5_000}) for _ in range(150)]
    await forwarding.record(SYSTEM, sent)
    await workshop.work(Queue.DEFAULT)
    sizes = [sum(len(orjson.dumps(e["content"])) for e in batch) for batch in lab.got]
    assert max(sizes) <= MOST_BYTES
    assert len(sizes) == 3
    assert lab.known == [e["source_id"] for e in sent]


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
    lab.fails = Reason.TIMEOUT
    await workshop.work(Queue.DEFAULT)
    assert await scalar(database, "SELECT last_error FROM jobs") == "NodeFailed"
    lab.fails = None
    await work_again(database, workshop)
    assert len(lab.got) == 1
    assert await scalar(database, "SELECT finished_at IS NOT NULL FROM jobs")


async def test_a_student_deleted_meanwhile_does_not_hold_the_job_up(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """Their events are gone; the others' go on."""
    gone, stays = await a_student(students), await a_student(students)
    sent = event(stays.id)
    assert await forwarding.record(SYSTEM, [event(gone.id), sent]) == Receipt(stored=2)
    await take_away(database, students, gone.id)
    await workshop.work(Queue.DEFAULT)
    assert [e["source_id"] for batch in lab.got for e in batch] == [sent["source_id"]]
    assert await scalar(database, "SELECT finished_at IS NOT NULL AND NOT failed FROM jobs")


async def work_again(database: Database, workshop: Workshop) -> None:
    """Runs all jobs that wait, whenever they are due."""
    async with database.transaction(SYSTEM) as tx:
        await tx.session.execute(text("UPDATE jobs SET not_before = now()"))
    await workshop.work(Queue.DEFAULT)


OPEN = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
REOPEN_FIRST = "UPDATE jobs SET finished_at = NULL WHERE id = (SELECT min(id) FROM jobs)"
FAILED = "SELECT count(*) FROM jobs WHERE failed"


@pytest.mark.requirement("history-forwarded-safely")
@pytest.mark.parametrize("reason", list(Reason))
async def test_no_outage_is_too_long(
    forwarding: History,
    students: Students,
    database: Database,
    lab: LabFake,
    workshop: Workshop,
    reason: Reason,
) -> None:
    """However the lab fails and however often, once it is back it gets every event."""
    student = await a_student(students)
    sent = [event(student.id) for _ in range(5)]
    await forwarding.record(SYSTEM, sent)
    lab.fails = reason
    for _ in range(MOST_ATTEMPTS + 5):
        await work_again(database, workshop)
    lab.fails = None
    await work_again(database, workshop)
    assert sorted(map(str, lab.known)) == sorted(str(e["source_id"]) for e in sent)
    assert await scalar(database, OPEN) == await scalar(database, FAILED) == 0


@pytest.mark.requirement("history-forwarded-safely")
async def test_an_event_that_the_lab_refuses_costs_no_other_one(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """The rest of its batch is there at once; refused three times among others it is set aside."""
    student, other = await a_student(students), await a_student(students)
    sent = [event(student.id) for _ in range(20)]
    bad = sent[7]["source_id"]
    lab.poison = {bad}
    await forwarding.record(SYSTEM, [*sent, event(other.id)])
    await workshop.work(Queue.DEFAULT)
    assert set(lab.known) >= {e["source_id"] for e in sent} - {bad}
    assert await scalar(database, OPEN) == 1
    with capture_logs() as logs:
        for _ in range(2):
            await forwarding.record(SYSTEM, [event(student.id)])
            await work_again(database, workshop)
            await work_again(database, workshop)
    assert [
        (log["source_node"], log["source_id"]) for log in logs if log["event"] == "event_set_aside"
    ] == [(4, bad)]
    assert await scalar(database, OPEN) == await scalar(database, FAILED) == 0


@pytest.mark.requirement("history-forwarded-safely")
async def test_a_lab_that_stores_nothing_is_never_blamed_on_an_event(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """Answering again for what it has had already is no sign that it is well."""
    student = await a_student(students)
    first, second = event(student.id), event(student.id)
    await forwarding.record(SYSTEM, [first])
    await workshop.work(Queue.DEFAULT)
    lab.poison = {second["source_id"]}
    await forwarding.record(SYSTEM, [second])
    for _ in range(MOST_ATTEMPTS):
        async with database.transaction(SYSTEM) as tx:
            await tx.session.execute(text(REOPEN_FIRST))
        await work_again(database, workshop)
    lab.poison = set()
    await work_again(database, workshop)
    assert second["source_id"] in lab.known


@pytest.mark.requirement("history-forwarded-safely")
async def test_what_was_not_reached_when_the_lab_went_away_goes_on_later(
    forwarding: History, students: Students, database: Database, lab: LabFake, workshop: Workshop
) -> None:
    """What the lab has is not handed over again; the rest becomes a job of its own."""
    student = await a_student(students)
    sent = [event(student.id) for _ in range(4)]
    names = [e["source_id"] for e in sent]
    lab.poison, lab.calls_left = {names[0]}, 3
    await forwarding.record(SYSTEM, sent)
    before = await generation(database, students, student.id)
    await workshop.work(Queue.DEFAULT, most=1)
    assert lab.known == names[2:]
    assert await generation(database, students, student.id) > before
    lab.poison, lab.calls_left = set(), 2
    await work_again(database, workshop)
    assert sorted(map(str, lab.known)) == sorted(map(str, names))
    assert await scalar(database, OPEN) == await scalar(database, FAILED) == 0
