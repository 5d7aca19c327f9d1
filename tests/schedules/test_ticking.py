"""What a tick does with what is due."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from factories import a_student, take_away
from schedules.stage import NOON, Clock, Room, another, cron, every, once
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.schedules.schemas import Outcome, Standing, Status, Task, TaskDraft
from student_hub.students.consents import Consents
from student_hub.students.schemas import ProcessingIn, State

pytestmark = pytest.mark.requirement("schedules-once")

MANY = """
    INSERT INTO scheduled_tasks (id, task_type, schedule_type, interval_seconds, timezone, config,
        next_run_at, status, created_by, created_at)
    SELECT gen_random_uuid(), 'note', 'interval', 3600, 'Asia/Seoul', '{}',
        now() + n * interval '1 s', CASE WHEN n % 10 = 0 THEN 'paused' ELSE 'active' END, 'x', now()
    FROM generate_series(-20, $1) AS n
"""
CLAIM = """
    EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM scheduled_tasks
    WHERE scheduled_tasks.status = 'active' AND next_run_at <= now()
        AND task_type IN ('check', 'note') ORDER BY next_run_at, id LIMIT 200
    FOR UPDATE SKIP LOCKED
"""


async def added(room: Room, draft: TaskDraft) -> Task:
    async with room.database.transaction(SYSTEM) as tx:
        return await room.schedules.add(tx, draft, "test")


async def test_a_due_task_becomes_a_run_a_job_and_the_next_time(room: Room, clock: Clock) -> None:
    """In one transaction: the job's effect and the run's end agree, and the next time is set."""
    task = await added(room, every(60))
    assert await room.schedules.tick(clock.now) == []
    fired = await room.schedules.tick(clock.pass_by(seconds=61))
    assert [(one.task_type, one.lag_s, one.outcome) for one in fired] == [("note", 1.0, None)]
    assert await room.work() == 1
    page = await room.schedules.runs(SYSTEM, task.task_id)
    (run,) = page.runs
    assert (run.outcome, run.done, run.total) == (Outcome.DONE, 1, 1)
    assert run.scheduled_for == NOON + timedelta(seconds=60)
    assert run.duration_s is not None
    assert await room.all("SELECT run, at FROM noted") == [(run.run_id, run.scheduled_for)]
    after = await room.schedules.read(SYSTEM, task.task_id)
    assert after.next_runs[0] == NOON + timedelta(seconds=120)
    assert after.last_run_at == clock.now


async def test_who_was_down_fires_once_and_says_how_much_was_missed(
    room: Room, clock: Clock
) -> None:
    """The last of the missed times, and then the next one."""
    task = await added(room, cron("0 * * * *"))
    await room.schedules.tick(clock.pass_by(hours=5, minutes=30))
    await room.schedules.tick(clock.now)
    (run,) = (await room.schedules.runs(SYSTEM, task.task_id)).runs
    assert run.scheduled_for == NOON + timedelta(hours=5)
    assert run.missed == 4
    upcoming = (await room.schedules.read(SYSTEM, task.task_id)).next_runs
    assert upcoming[0] == NOON + timedelta(hours=6)


async def test_two_schedulers_at_once_fire_each_task_once(
    room: Room, clock: Clock, database_url: str, keyring: Keyring
) -> None:
    """Batches of 200 go to either of them, and none to both."""
    async with room.database.transaction(SYSTEM) as tx:
        for _ in range(450):
            await room.schedules.add(tx, every(60), "test")
    clock.pass_by(seconds=60)
    async with another(database_url, keyring, clock) as other:
        await asyncio.gather(*(each.schedules.tick(clock.now) for each in (room, other) * 3))
    assert (await room.all("SELECT count(*) FROM jobs")) == [(450,)]
    assert (await room.all("SELECT count(*) FROM scheduled_task_runs")) == [(450,)]


async def test_a_single_time_fires_once_and_the_task_is_over(room: Room, clock: Clock) -> None:
    """It is completed, and nothing is left to come."""
    task = await added(room, once(NOON + timedelta(days=7)))
    await room.schedules.tick(clock.pass_by(days=8))
    assert await room.schedules.tick(clock.pass_by(days=8)) == []
    over = await room.schedules.read(SYSTEM, task.task_id)
    assert (over.status, over.next_runs) == (Status.COMPLETED, [])


async def test_without_a_time_it_is_the_databases_clock(room: Room, clock: Clock) -> None:
    """Machines whose own clocks differ fire by the same one."""
    await added(room, every(60))
    clock.pass_by(days=-2_000)
    await room.do("UPDATE scheduled_tasks SET next_run_at = now() - interval '1 s'")
    assert len(await room.schedules.tick()) == 1


async def test_a_clock_that_goes_back_fires_nothing_twice(room: Room, clock: Clock) -> None:
    """The next time in the table only moves forwards."""
    await added(room, every(60))
    await room.schedules.tick(clock.pass_by(minutes=10))
    await room.schedules.tick(clock.pass_by(minutes=-9))
    await room.schedules.tick(clock.pass_by(minutes=9))
    assert await room.all("SELECT count(*) FROM scheduled_task_runs") == [(1,)]


async def test_ended_tasks_fire_no_more(room: Room, clock: Clock) -> None:
    """Rooms above complete theirs in their own transaction; a second time changes nothing."""
    task, other = await added(room, every(60)), await added(room, every(60))
    async with room.database.transaction(SYSTEM) as tx:
        assert await room.schedules.end(tx, [task.task_id]) == [task.task_id]
        assert await room.schedules.end(tx, [task.task_id]) == []
    await room.schedules.tick(clock.pass_by(minutes=1))
    runs = "SELECT task_id FROM scheduled_task_runs"
    assert await room.all(runs) == [(other.task_id,)]


async def test_a_task_goes_with_its_student(room: Room, clock: Clock) -> None:
    """With its runs, and a job that was put already finds no run to end."""
    student = await a_student(room.students)
    await added(room, every(60, task_type="check", student_id=student.id))
    await room.schedules.tick(clock.pass_by(minutes=1))
    await take_away(room.database, room.students, student.id)
    await room.work()
    left = "SELECT count(*) FROM {}"
    for table in ("scheduled_tasks", "scheduled_task_runs"):
        assert await room.all(left.format(table)) == [(0,)]


@pytest.mark.requirement("processing-stopped")
async def test_a_stopped_students_task_is_skipped_with_that_outcome(
    room: Room, clock: Clock
) -> None:
    """No job is asked for; when processing goes on, so does the task."""
    student = await a_student(room.students)
    consents = Consents(room.database, room.students, room.audit, clock)
    task = await added(room, every(60, task_type="check", student_id=student.id))
    for state in (State.STOPPED, State.OPEN):
        wanted = ProcessingIn(state=state, reason="x")
        await consents.set_processing(SYSTEM, student.id, wanted)
        await room.schedules.tick(clock.pass_by(minutes=1))
    newest, oldest = (await room.schedules.runs(SYSTEM, task.task_id)).runs
    assert (oldest.outcome, oldest.reason) == (Outcome.SKIPPED, "stopped")
    assert newest.outcome is None
    assert await room.work() == 1


async def test_a_task_without_a_job_costs_no_other_its_run(
    room: Room, clock: Clock, owner: asyncpg.Connection
) -> None:
    """A type that cannot make one, and a config its model has outgrown: failed, by name."""
    tasks = [await added(room, every(60, task_type=kind)) for kind in ("jobless", "fan", "note")]
    outgrown = "UPDATE scheduled_tasks SET config = '{\"parts\": 99}' WHERE task_type = 'fan'"
    await owner.execute("SET hub.sees = 'all'")
    await owner.execute(outgrown)
    await room.schedules.tick(clock.pass_by(minutes=1))
    runs = [(await room.schedules.runs(SYSTEM, task.task_id)).runs[0] for task in tasks]
    assert [run.reason for run in runs] == ["LookupError", "config_refused", None]
    assert (runs[0].outcome, runs[0].failed) == (Outcome.FAILED, 1)
    assert await room.all("SELECT count(*) FROM jobs") == [(1,)]


async def test_a_type_that_a_process_does_not_know_is_left_to_others(
    room: Room, clock: Clock, owner: asyncpg.Connection
) -> None:
    """It stays due, and nothing behind it has to wait."""
    task = await added(room, every(60))
    await added(room, every(120))
    await owner.execute("SET hub.sees = 'all'")
    await owner.execute(
        "UPDATE scheduled_tasks SET task_type = 'newer' WHERE id = $1", task.task_id
    )
    assert len(await room.schedules.tick(clock.pass_by(minutes=3))) == 1
    waits = "SELECT count(*) FROM scheduled_tasks WHERE next_run_at < $1"
    assert await owner.fetchval(waits, clock.now) == 1


async def test_the_hubs_own_tasks_are_added_once_and_left_as_they_are(
    room: Room, clock: Clock
) -> None:
    """At every start of every process; only those whose type is offered; a pause stays."""
    wanted = [
        Standing("daily", cron("0 9 * * *")),
        Standing("later", cron("@daily", task_type="z")),
    ]
    assert await room.schedules.keep_standing(wanted) == 1
    (task,) = (await room.schedules.page(SYSTEM)).tasks
    assert task.standing == "daily"
    await room.schedules.pause(SYSTEM, task.task_id)
    assert await room.schedules.keep_standing(wanted) == 0
    assert await room.schedules.tick(clock.pass_by(days=2)) == []
    await room.schedules.cancel(SYSTEM, task.task_id)
    assert await room.schedules.keep_standing(wanted) == 0


@pytest.mark.requirement("schedules-many")
async def test_a_tick_among_100_000_tasks_is_an_indexed_query(
    owner: asyncpg.Connection, database_url: str
) -> None:
    """It reads the due rows by the index and looks at nothing else, under the policy too."""
    await owner.execute("SET hub.sees = 'all'")
    await owner.execute(MANY, 100_000)
    await owner.execute("ANALYZE scheduled_tasks")
    hub = await asyncpg.connect(database_url, server_settings={"role": HUB_ROLE})
    async with hub.transaction():
        await hub.execute("SET LOCAL hub.sees = 'all'")
        plan = "\n".join(line[0] for line in await hub.fetch(CLAIM))
    await hub.close()
    assert "ix_scheduled_tasks_due" in plan
    assert "Seq Scan on scheduled_tasks" not in plan
    assert "Rows Removed by Filter" not in plan
