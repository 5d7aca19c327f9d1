"""How runs end: with their job, with all of their parts, or with jobs that are dead."""

from datetime import timedelta

import pytest

from schedules.stage import Clock, Note, Room, every
from student_hub.platform.security.caller import SYSTEM
from student_hub.schedules.schemas import Outcome, Task, TaskRun

pytestmark = pytest.mark.requirement("schedules-runs")

RETRY = (
    "UPDATE jobs SET failed = false, finished_at = NULL, attempts = 0, not_before = now() "
    "WHERE failed"
)


async def begun(room: Room, clock: Clock, task_type: str, **config: object) -> Task:
    task = await room.schedules.create(SYSTEM, every(3_600, task_type=task_type, config=config))
    await room.schedules.tick(clock.pass_by(hours=1))
    return task


async def run_of(room: Room, task: Task) -> TaskRun:
    return (await room.schedules.runs(SYSTEM, task.task_id)).runs[0]


async def test_a_job_that_goes_dead_fails_its_run(room: Room, clock: Clock) -> None:
    """With the error's class, within the next look at the runs; mended and retried it is done."""
    task = await begun(room, clock, "doom")
    await room.work()
    assert (await run_of(room, task)).outcome is None
    await room.schedules.look_after_runs()
    run = await run_of(room, task)
    assert (run.outcome, run.reason, run.failed) == (Outcome.FAILED, "ValueError", 1)
    assert run.finished_at is not None


async def test_a_fan_out_shows_how_far_it_has_come(room: Room, clock: Clock) -> None:
    """Parts done of parts in all; one that fails fails alone, and the run when all have ended."""
    task = await begun(room, clock, "fan", parts=5)
    assert await room.work() == 6
    between = await run_of(room, task)
    assert (between.outcome, between.done, between.total) == (None, 3, 5)
    await room.schedules.look_after_runs()
    failed = await run_of(room, task)
    assert (failed.outcome, failed.done, failed.failed) == (Outcome.FAILED, 3, 2)
    room.fail = False
    await room.do(RETRY)
    await room.work()
    mended = await run_of(room, task)
    assert (mended.outcome, mended.done, mended.failed) == (Outcome.DONE, 5, 0)
    assert mended.reason is None


async def test_a_fan_out_over_nobody_is_done_at_once(room: Room, clock: Clock) -> None:
    """There is nothing to wait for."""
    task = await begun(room, clock, "fan", parts=0)
    await room.work()
    run = await run_of(room, task)
    assert (run.outcome, run.total, run.done) == (Outcome.DONE, 0, 0)


async def test_a_dead_part_counts_while_others_are_still_at_work(room: Room, clock: Clock) -> None:
    """The run stays open until the last of them has ended."""
    task = await begun(room, clock, "fan", parts=3)
    await room.work()
    await room.do("UPDATE scheduled_task_runs SET done = 1")
    await room.schedules.look_after_runs()
    run = await run_of(room, task)
    assert (run.outcome, run.done, run.failed) == (None, 1, 1)
    async with room.database.transaction(SYSTEM) as tx:
        await room.schedules.run_ended(tx, run.run_id)
    assert (await run_of(room, task)).outcome is Outcome.FAILED


async def test_a_job_that_an_operator_dropped_fails_its_run(room: Room, clock: Clock) -> None:
    """Nobody would ever end it otherwise."""
    task = await begun(room, clock, "note")
    await room.do("DELETE FROM jobs")
    await room.schedules.look_after_runs()
    run = await run_of(room, task)
    assert (run.outcome, run.reason) == (Outcome.FAILED, "job_dropped")


async def test_runs_under_way_are_left_alone(room: Room, clock: Clock) -> None:
    """A look at the runs changes nothing of what is only slow."""
    task = await begun(room, clock, "note")
    await room.schedules.look_after_runs()
    assert (await run_of(room, task)).outcome is None


async def test_a_job_that_no_run_asked_for_has_no_run_to_end(room: Room, clock: Clock) -> None:
    """The same handler serves both."""
    job = Note(student_id=None, scheduled_for=clock.now)
    async with room.database.transaction(SYSTEM) as tx:
        await room.ledger.put(tx, job)
    assert await room.work() == 1
    assert await room.all("SELECT count(*) FROM noted") == [(1,)]


async def test_old_runs_are_deleted_and_open_ones_kept(room: Room, clock: Clock) -> None:
    """After ninety days."""
    await begun(room, clock, "note")
    await room.work()
    await begun(room, clock, "fan")
    clock.now += timedelta(days=91)
    await room.schedules.look_after_runs()
    left = await room.all("SELECT outcome FROM scheduled_task_runs")
    assert left
    assert set(left) == {(None,)}
