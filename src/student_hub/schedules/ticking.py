"""Firing: what is due becomes a run, its job and the next time, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.ids import new_id
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.payloads import require_small
from student_hub.platform.security.caller import SYSTEM
from student_hub.schedules import repository, run_rows
from student_hub.schedules.models import TaskRow
from student_hub.schedules.schemas import Due, Fired, Outcome, Status, TaskType
from student_hub.schedules.shown import schedule_in
from student_hub.schedules.times import count
from student_hub.students.service import Students

PER_BATCH = 200
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Firing:
    """A task that fires for a time: its run, its job if it has one, and what it is then."""

    task: TaskRow
    run: dict[str, Any]
    job: Job | None
    after: dict[str, Any]


class Ticker:
    """Claims what is due with SKIP LOCKED, so that any number of processes may tick at once.

    Who was down fires a task once, for the last of the times that it missed. A task whose type
    this process does not know is left to those who do.
    """

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        students: Students,
        types: Mapping[str, TaskType],
    ) -> None:
        self._db = db
        self._ledger = ledger
        self._students = students
        self._types = types

    async def tick(self, now: datetime | None = None) -> list[Fired]:
        """Fires all that is due at that time, or at the database's own; what it fired."""
        fired: list[Fired] = []
        while self._types:
            batch = await transact(self._db, partial(self._batch, now=now), SYSTEM)
            fired += batch
            if len(batch) < PER_BATCH:
                break
        if fired:
            log.info("tasks_fired", tasks=len(fired))
        return fired

    async def _batch(self, tx: Transaction, now: datetime | None) -> list[Fired]:
        at = now or await repository.now(tx)
        tasks = await repository.claim(tx, at, self._types, PER_BATCH)
        if not tasks:
            return []
        ids = {task.student_id for task in tasks if task.student_id is not None}
        closed = await self._students.not_open(tx, ids) if ids else {}
        firings = [self._firing(task, at, _reason(task, closed)) for task in tasks]
        await self._write(tx, firings)
        return [_fired(firing, at) for firing in firings]

    def _firing(self, task: TaskRow, now: datetime, reason: str | None) -> Firing:
        schedule = schedule_in(task)
        first = task.next_run_at or now
        slot = schedule.latest(first, now)
        due = due_of(task, slot, now)
        job, refused = (None, None) if reason else self.job_of(task.task_type, due)
        upcoming = schedule.after(max(slot, now))
        return Firing(
            task,
            run_of(due, now, missed=count(schedule, first, slot), skipped=reason, failed=refused),
            job,
            {
                "task": task.id,
                "new_next_run_at": upcoming,
                "new_last_run_at": now,
                "new_status": (Status.ACTIVE if upcoming else Status.COMPLETED).value,
                "new_ended_at": None if upcoming else now,
            },
        )

    def job_of(self, task_type: str, due: Due) -> tuple[Job | None, str | None]:
        """The job of a run, or why there is none; one task's fault must cost no other's run."""
        kind = self._types[task_type]
        try:
            kind.config.model_validate(due.config)
            job = kind.job(due)
            require_small(job.kind(), job.model_dump(mode="json"))
        except ValidationError:
            return None, "config_refused"
        except Exception as error:
            log.exception("task_without_job", task_type=task_type, task=str(due.task_id))
            return None, type(error).__name__
        return job, None

    async def put(self, tx: Transaction, run_id: UUID, job: Job) -> None:
        """Writes the job of one run."""
        await self._ledger.put(tx, job, unique_key=run_rows.run_key(run_id))

    async def _write(self, tx: Transaction, firings: Sequence[Firing]) -> None:
        new = await run_rows.add(tx, [firing.run for firing in firings])
        jobs = [(f.job, f.run["id"]) for f in firings if f.job and f.run["id"] in new]
        keys = {id(job): run_rows.run_key(run_id) for job, run_id in jobs}
        await self._ledger.put_all(
            tx, [job for job, _ in jobs], unique_key=lambda job: keys[id(job)]
        )
        await repository.advance(tx, [firing.after for firing in firings])


def due_of(task: TaskRow, slot: datetime, now: datetime, *, run_now: bool = False) -> Due:
    """What a type's job is made of."""
    return Due(task.id, new_id(now), task.student_id, slot, task.config, run_now)


def run_of(
    due: Due,
    now: datetime,
    *,
    missed: int = 0,
    skipped: str | None = None,
    failed: str | None = None,
) -> dict[str, Any]:
    """The row of a run that begins now, or has ended already for the reason given."""
    reason = skipped or failed
    outcome = Outcome.SKIPPED if skipped else Outcome.FAILED if failed else None
    return {
        "id": due.run_id,
        "task_id": due.task_id,
        "scheduled_for": due.scheduled_for,
        "run_now": due.run_now,
        "started_at": now,
        "finished_at": now if reason else None,
        "outcome": outcome and outcome.value,
        "reason": reason,
        "missed": missed,
        "total": 1,
        "done": 0,
        "failed": 1 if failed else 0,
    }


def _reason(task: TaskRow, closed: Mapping[UUID, Any]) -> str | None:
    state = None if task.student_id is None else closed.get(task.student_id)
    return None if state is None else str(state.value)


def _fired(firing: Firing, now: datetime) -> Fired:
    outcome = firing.run["outcome"]
    lag = (now - firing.run["scheduled_for"]).total_seconds()
    return Fired(firing.task.task_type, lag, None if outcome is None else Outcome(outcome))
