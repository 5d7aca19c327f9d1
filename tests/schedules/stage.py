"""The room on a database of its own, with types of tasks that exist for tests alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from counting import silent_ledger
from doorway import an_audit
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect, Handlers, Job, inside
from student_hub.platform.jobs.ledger import LEASE
from student_hub.platform.jobs.payloads import Word
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.schedules.recording import FromRun, recorded
from student_hub.schedules.run_rows import run_key
from student_hub.schedules.schemas import Due, ScheduleType, TaskDraft, TaskType
from student_hub.schedules.service import Schedules
from student_hub.students.service import Students

NOON = datetime(2026, 3, 2, 3, tzinfo=UTC)
"""Noon in Seoul, a Monday."""
PLANNER = Caller("planner", frozenset({Scope.READ, Scope.PLAN}), Role.SERVICE)
CREATE = "CREATE TABLE noted (run uuid, at timestamptz); GRANT ALL ON noted TO student_hub_app"


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


class Note(FromRun):
    """Writes its run down."""

    student_id: UUID | None
    scheduled_for: datetime


class Doom(FromRun):
    """Fails for good."""

    most_attempts = 1


class Fan(FromRun):
    """Asks for as many parts as it says."""

    parts: int


class Part(FromRun):
    """One of a fan's parts; an odd one fails once it is told to."""

    most_attempts = 1
    number: int
    bad: bool


class Level(BaseModel):
    """What a fan is told."""

    model_config = ConfigDict(extra="forbid")

    parts: int = Field(3, ge=0, le=9)
    kind: Word = "plain"


def note_of(due: Due) -> Job:
    return Note(run_id=due.run_id, student_id=due.student_id, scheduled_for=due.scheduled_for)


def fan_of(due: Due) -> Job:
    return Fan(run_id=due.run_id, parts=due.config["parts"])


def no_job(due: Due) -> Job:
    raise LookupError(due.task_id)


TYPES = (
    TaskType("note", note_of),
    TaskType("check", note_of, for_student=True),
    TaskType("sweep", note_of, for_student=False),
    TaskType("doom", lambda due: Doom(run_id=due.run_id)),
    TaskType("fan", fan_of, config=Level),
    TaskType("jobless", no_job),
)


class Room:
    """The services, and a workshop that does the tests' jobs."""

    def __init__(
        self, database: Database, keyring: Keyring, clock: Clock, lease: timedelta = LEASE
    ) -> None:
        self.database = database
        self.clock = clock
        self.ledger = silent_ledger(database, lease=lease)
        self.audit = an_audit(database)
        self.students = Students(database, keyring, clock, self.audit)
        self.schedules = Schedules(database, self.students, self.ledger, self.audit, clock, TYPES)
        self.fail = True

    async def work(self) -> int:
        """Does every job that is due; how many runs of jobs that were."""
        return await Workshop(self.ledger, self.handlers()).work(Queue.DEFAULT)

    def handlers(self) -> Handlers:
        async def note(job: Note) -> Effect:
            async def effect(tx: Transaction) -> None:
                values = {"run": job.run_id, "at": job.scheduled_for}
                await tx.session.execute(text("INSERT INTO noted VALUES (:run, :at)"), values)

            return effect

        async def doom(_job: Doom) -> None:
            raise ValueError

        async def fan(tx: Transaction, job: Fan) -> None:
            assert job.run_id is not None
            await self.schedules.spread(tx, job.run_id, job.parts)
            for number in range(job.parts):
                part = Part(run_id=job.run_id, number=number, bad=number % 2 == 1)
                await self.ledger.put(tx, part, unique_key=run_key(job.run_id, number))

        async def part(job: Part) -> None:
            if job.bad and self.fail:
                raise ValueError

        runs = self.schedules
        return {
            Note: recorded(runs, note),
            Doom: recorded(runs, doom),
            Fan: inside(fan),
            Part: recorded(runs, part),
        }

    async def all(self, sql: str, **values: object) -> list[Any]:
        async with self.database.transaction(SYSTEM) as tx:
            return list((await tx.session.execute(text(sql), values)).all())

    async def do(self, sql: str, **values: object) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            await tx.session.execute(text(sql), values)


def cron(expression: str, **fields: Any) -> TaskDraft:
    given = {"task_type": "note", "schedule_type": ScheduleType.CRON, **fields}
    return TaskDraft.model_validate({**given, "cron_expression": expression})


def every(seconds: int, **fields: Any) -> TaskDraft:
    given = {"task_type": "note", "schedule_type": ScheduleType.INTERVAL, **fields}
    return TaskDraft.model_validate({**given, "interval_seconds": seconds})


def once(at: datetime, **fields: Any) -> TaskDraft:
    given = {"task_type": "note", "schedule_type": ScheduleType.ONE_TIME, **fields}
    return TaskDraft.model_validate({**given, "run_at": at})


@asynccontextmanager
async def another(url: str, keyring: Keyring, clock: Clock) -> AsyncIterator[Room]:
    """The same room in another process, as far as the database can tell."""
    database = Database(url)
    yield Room(database, keyring, clock)
    await database.close()
