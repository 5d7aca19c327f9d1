"""What can be done with tasks: use cases take the caller, operations an open transaction."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import structlog

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.schemas import Outcome as AuditOutcome
from student_hub.access.audit.service import Audit
from student_hub.access.policy import may_see
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.ids import new_id
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.schedules import repository, run_rows
from student_hub.schedules.checking import checked, require_ahead, schedule_of
from student_hub.schedules.errors import (
    AlreadyRunning,
    KeyReused,
    NotForAll,
    TaskNotFound,
    TaskOver,
)
from student_hub.schedules.models import TaskRow
from student_hub.schedules.schemas import (
    Fired,
    RunPage,
    Standing,
    Status,
    Task,
    TaskDraft,
    TaskFilter,
    TaskPage,
    TaskRun,
    TaskType,
    Waiting,
)
from student_hub.schedules.shown import schedule_in, shown, shown_run
from student_hub.schedules.ticking import Ticker, due_of, run_of
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students

MOST_LISTED = 200
SAME_CALL = timedelta(minutes=10)
RUNS_KEPT = timedelta(days=90)
OVER = frozenset({Status.COMPLETED.value, Status.CANCELLED.value})
ALL = TaskFilter()
log = structlog.get_logger()


class Schedules:
    """Knows what runs when; `types` are those that the rooms above offer, by their names."""

    def __init__(
        self,
        db: Database,
        students: Students,
        ledger: Ledger,
        audit: Audit,
        clock: Clock,
        types: Collection[TaskType],
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._clock = clock
        self._types = {kind.name: kind for kind in types}
        if len(self._types) != len(types):
            raise ValueError("two types of tasks have one name")
        self._ticker = Ticker(db, ledger, students, self._types)

    async def create(self, caller: Caller, wanted: TaskDraft, key: str | None = None) -> Task:
        """The task; the one of before when the caller says the same under a key, or in 10 minutes.

        InvalidInput names each field; StudentNotFound; NotForAll; KeyReused for other arguments.
        """
        about = [] if wanted.student_id is None else [wanted.student_id]
        with self._audit.refusals(caller, Action.TASK_CREATE, about):
            caller.require(Scope.READ)
            caller.require(Scope.PLAN)
            if wanted.student_id is None and not caller.sees_all:
                raise NotForAll
            draft = checked(wanted, self._types)
            work = partial(self._create, caller=caller, draft=draft, key=key)
            return await transact(self._db, work, caller)

    async def read(self, caller: Caller, task_id: UUID) -> Task:
        """The task; TaskNotFound when there is none, or none for this caller."""
        with self._audit.refusals(caller, Action.TASK_READ):
            caller.require(Scope.READ)
            async with self._db.transaction(caller) as tx:
                row = await self._seen(tx, caller, task_id)
        self._audit.saw(caller, Action.TASK_READ, _about(row), detail={"task": str(task_id)})
        return shown(row)

    async def page(
        self,
        caller: Caller,
        wanted: TaskFilter = ALL,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> TaskPage:
        """A page of at most 200 tasks that pass every given filter, the newest first."""
        caller.require(Scope.READ)
        before, most = _position(cursor), _more_than(limit)
        async with self._db.transaction(caller) as tx:
            found = await repository.page(tx, wanted, before, most)
            named = await self._named(tx, caller, wanted.student_id)
        tasks = [shown(row) for row in found[:limit] if await self._may_see(caller, row)]
        about = sorted({*named, *(task.student_id for task in tasks if task.student_id)})
        self._audit.saw(caller, Action.TASK_LIST, about, detail={"tasks": len(tasks)})
        return TaskPage(tasks=tasks, next=str(found[limit - 1].id) if len(found) > limit else None)

    async def runs(
        self, caller: Caller, task_id: UUID, *, cursor: str | None = None, limit: int = 50
    ) -> RunPage:
        """A page of at most 200 runs of the task, the newest first; TaskNotFound."""
        before, most = _moment(cursor), _more_than(limit)
        with self._audit.refusals(caller, Action.TASK_READ):
            caller.require(Scope.READ)
            async with self._db.transaction(caller) as tx:
                row = await self._seen(tx, caller, task_id)
                found = await run_rows.page(tx, task_id, before, most)
        self._audit.saw(caller, Action.TASK_READ, _about(row), detail={"task": str(task_id)})
        after = found[limit - 1].scheduled_for.isoformat() if len(found) > limit else None
        return RunPage(task_id=task_id, runs=[shown_run(run) for run in found[:limit]], next=after)

    async def pause(self, caller: Caller, task_id: UUID) -> Task:
        """The task, which does not fire until it is resumed; TaskNotFound, TaskOver."""
        values = {"status": Status.PAUSED.value}
        return await self._alter(caller, task_id, Action.TASK_PAUSE, lambda _: values)

    async def resume(self, caller: Caller, task_id: UUID) -> Task:
        """The task, active; the times of its pause are not made up for, but for a single time."""

        def resumed(row: TaskRow) -> dict[str, object]:
            if row.status == Status.ACTIVE.value:
                return {}
            upcoming = schedule_in(row).after(self._clock()) or row.next_run_at
            return {"status": Status.ACTIVE.value, "next_run_at": upcoming}

        return await self._alter(caller, task_id, Action.TASK_RESUME, resumed)

    async def cancel(self, caller: Caller, task_id: UUID) -> Task:
        """The task, which never fires again; TaskNotFound, TaskOver."""
        values = {"status": Status.CANCELLED.value, "ended_at": self._clock()}
        return await self._alter(caller, task_id, Action.TASK_CANCEL, lambda _: values)

    async def run_now(self, caller: Caller, task_id: UUID) -> TaskRun:
        """The run that begins now, beside the task's times; also of a paused task.

        TaskNotFound, TaskOver; AlreadyRunning while the last one that was asked for has not ended.
        """
        with self._audit.refusals(caller, Action.TASK_RUN):
            caller.require(Scope.READ)
            caller.require(Scope.PLAN)
            work = partial(self._run_now, caller=caller, task_id=task_id)
            return await transact(self._db, work, caller)

    async def add(self, tx: Transaction, draft: TaskDraft, created_by: str) -> Task:
        """The task, stored in the caller's transaction; InvalidInput names each wrong field."""
        row = self._row(checked(draft, self._types), created_by)
        await repository.add(tx, row)
        return await self._shown(tx, row["id"])

    async def end(self, tx: Transaction, task_ids: Collection[UUID]) -> list[UUID]:
        """Completes the tasks, so that nothing fires any more; which were not over before."""
        over = {"status": Status.COMPLETED.value, "ended_at": self._clock()}
        return await repository.change(tx, task_ids, **over)

    async def of_student(self, tx: Transaction, student_id: UUID) -> list[Task]:
        """Every task of the student, the newest first: for an export."""
        return [shown(row) for row in await repository.of_student(tx, student_id)]

    async def spread(self, tx: Transaction, run_id: UUID, parts: int) -> None:
        """The run is that many jobs, put in this transaction, each of which says `run_ended`.

        Their unique keys are to be `run_key(run_id, part)`, so that dead ones count as failed.
        """
        await run_rows.spread(tx, run_id, parts)

    async def run_ended(self, tx: Transaction, run_id: UUID) -> None:
        """One of the run's jobs has ended well; to be said in the transaction of its effect."""
        await run_rows.part_done(tx, run_id)

    async def tick(self, now: datetime | None = None) -> Sequence[Fired]:
        """Fires all that is due at that time, or now by the database's clock; what it fired."""
        return await self._ticker.tick(now)

    async def look_after_runs(self) -> None:
        """Fails runs whose jobs are dead, and deletes those that began over 90 days ago."""
        async with self._db.transaction(SYSTEM) as tx:
            failed = await run_rows.sweep(tx)
            await run_rows.prune(tx, self._clock() - RUNS_KEPT)
        if failed:
            log.warning("task_runs_failed", runs=failed)

    async def keep_standing(self, tasks: Collection[Standing]) -> int:
        """Adds those of the hub's own tasks that are not there; how many.

        One that somebody paused or cancelled stays so. Types that nobody offers are left out.
        """
        known = [each for each in tasks if each.draft.task_type in self._types]
        rows = [
            {**self._row(checked(each.draft, self._types), "system"), "standing": each.name}
            for each in known
        ]
        async with self._db.transaction(SYSTEM) as tx:
            return sum([await repository.add(tx, row) for row in rows])

    async def waiting(self) -> Waiting:
        """What is due and has not been fired, for the metrics."""
        async with self._db.transaction(SYSTEM) as tx:
            return await repository.waiting(tx)

    async def _create(
        self, tx: Transaction, caller: Caller, draft: TaskDraft, key: str | None
    ) -> Task:
        about = [] if draft.student_id is None else [draft.student_id]
        for student_id in about:
            await self._students.see(tx, caller, student_id)
        digest = _digest(draft)
        if (before := await self._earlier(tx, caller, key, digest)) is not None:
            return shown(before)
        require_ahead(draft, self._clock())
        row = self._row(draft, caller.subject)
        await repository.add(tx, {**row, "request_key": key, "request_hash": digest})
        detail: dict[str, str | int] = {"task": str(row["id"]), "task_type": draft.task_type}
        await self._audit.note(tx, caller, Action.TASK_CREATE, about, detail=detail)
        return await self._shown(tx, row["id"])

    async def _earlier(
        self, tx: Transaction, caller: Caller, key: str | None, digest: bytes
    ) -> TaskRow | None:
        call = f"{caller.subject} {key or digest.hex()}"
        await repository.alone_with_call(tx, call)
        if key is None:
            since = self._clock() - SAME_CALL
            return await repository.by_call(tx, caller.subject, digest, since)
        found = await repository.by_key(tx, caller.subject, key)
        if found is not None and found.request_hash != digest:
            raise KeyReused(key=key)
        return found

    async def _run_now(self, tx: Transaction, caller: Caller, task_id: UUID) -> TaskRun:
        row = await self._held(tx, caller, task_id)
        if row.task_type not in self._types:
            raise InvalidInput.field("task_type", "nobody knows this type any more")
        if await run_rows.has_open_call(tx, task_id):
            raise AlreadyRunning
        now = self._clock()
        due = due_of(row, now, now, run_now=True)
        closed = await self._students.not_open(tx, _about(row))
        skipped = next((state.value for state in closed.values()), None)
        job, failed = (None, None) if skipped else self._ticker.job_of(row.task_type, due)
        await run_rows.add(tx, [run_of(due, now, skipped=skipped, failed=failed)])
        if job is not None:
            await self._ticker.put(tx, due.run_id, job)
        detail: Mapping[str, str | int] = {"task": str(task_id)}
        await self._audit.note(tx, caller, Action.TASK_RUN, _about(row), detail=detail)
        run = await run_rows.one(tx, due.run_id)
        if run is None:
            raise AlreadyRunning
        return shown_run(run)

    async def _alter(self, caller: Caller, task_id: UUID, action: Action, values: Any) -> Task:
        async def work(tx: Transaction) -> Task:
            row = await self._held(tx, caller, task_id)
            if changed := values(row):
                await repository.change(tx, [task_id], **changed)
            detail: Mapping[str, str | int] = {"task": str(task_id)}
            await self._audit.note(tx, caller, action, _about(row), detail=detail)
            return await self._shown(tx, task_id)

        with self._audit.refusals(caller, action):
            caller.require(Scope.READ)
            caller.require(Scope.PLAN)
            return await transact(self._db, work, caller)

    async def _held(self, tx: Transaction, caller: Caller, task_id: UUID) -> TaskRow:
        row = await self._seen(tx, caller, task_id, held=True)
        if row.status in OVER:
            raise TaskOver(status=row.status)
        return row

    async def _seen(
        self, tx: Transaction, caller: Caller, task_id: UUID, *, held: bool = False
    ) -> TaskRow:
        row = await repository.one(tx, task_id, held=held)
        if row is None or not (row.student_id or caller.sees_all):
            raise TaskNotFound
        for student_id in _about(row):
            try:
                await self._students.see(tx, caller, student_id)
            except StudentNotFound as error:
                raise TaskNotFound from error
        return row

    async def _named(
        self, tx: Transaction, caller: Caller, student_id: UUID | None
    ) -> tuple[UUID, ...]:
        """The student who was asked for, if they are seen; that they were refused is noted."""
        if student_id is None:
            return ()
        try:
            await self._students.see(tx, caller, student_id)
        except StudentNotFound:
            self._audit.saw(caller, Action.TASK_LIST, [student_id], outcome=AuditOutcome.REFUSED)
            return ()
        return (student_id,)

    async def _may_see(self, caller: Caller, row: TaskRow) -> bool:
        if caller.sees_all or row.student_id is None:
            return caller.sees_all
        try:
            return may_see(caller, (await self._students.recall(caller, row.student_id)).student)
        except StudentNotFound:
            return False

    async def _shown(self, tx: Transaction, task_id: UUID) -> Task:
        row = await repository.one(tx, task_id)
        if row is None:
            raise TaskNotFound
        return shown(row)

    def _row(self, draft: TaskDraft, created_by: str) -> dict[str, Any]:
        now = self._clock()
        first = schedule_of(draft, now).after(now) or draft.run_at
        fields = draft.model_dump() | {"schedule_type": draft.schedule_type.value}
        active = {"next_run_at": first, "status": Status.ACTIVE.value}
        return {"id": new_id(now), **fields, **active, "created_by": created_by, "created_at": now}


def _about(row: TaskRow) -> list[UUID]:
    return [] if row.student_id is None else [row.student_id]


def _digest(draft: TaskDraft) -> bytes:
    plain = draft.model_dump(mode="json")
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).digest()


def _more_than(limit: int) -> int:
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
    return limit + 1


def _position(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error


def _moment(cursor: str | None) -> datetime | None:
    try:
        # A time without a zone is taken for that of this machine, and finds what it finds.
        return None if cursor is None else datetime.fromisoformat(cursor).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error
