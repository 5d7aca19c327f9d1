"""Schedulers that are killed with -9 at random, and what is counted afterwards."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg

from counting import until
from counting_processes import workers
from scheduling_worker import Wanted

TASKS = """
    INSERT INTO scheduled_tasks (id, task_type, schedule_type, interval_seconds, timezone, config,
        next_run_at, status, created_by, created_at)
    SELECT gen_random_uuid(), 'note', 'interval', 1, 'Asia/Seoul', '{}',
        date_trunc('second', now()) + interval '1 s', 'active', 'x', date_trunc('second', now())
    FROM generate_series(1, $1)
"""
RUNS = "SELECT count(*) FROM scheduled_task_runs"
STOP = "UPDATE scheduled_tasks SET status = 'paused'"
OPEN = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
# Of every task: its first time to its last, a second apart, are its runs and what they missed.
WRONG = """
    SELECT count(*) FROM (
        SELECT task_id FROM scheduled_task_runs GROUP BY task_id
        HAVING count(*) + sum(missed)
            <> extract(epoch FROM max(scheduled_for) - min(scheduled_for)) + 1
            + (SELECT min(missed) FROM scheduled_task_runs AS first
               WHERE first.task_id = scheduled_task_runs.task_id AND first.scheduled_for =
                   (SELECT min(scheduled_for) FROM scheduled_task_runs AS any_run
                    WHERE any_run.task_id = first.task_id))
    ) AS wrong
"""


@dataclass(frozen=True)
class Counted:
    """What is left when nobody ticks any more."""

    runs: int
    missed: int
    kills: int
    wrong: int
    """Tasks of which a time has neither a run nor was counted as missed, or has two."""
    without_effect: int
    doubled: int
    open_runs: int


async def killed(
    url: str, owner: asyncpg.Connection, folder: Path, *, tasks: int, kills: int, seed: int
) -> Counted:
    """Two schedulers on tasks of each second, one of which is killed again and again."""
    random = Random(seed)  # noqa: S311 (a seeded play)
    await owner.execute("SET hub.sees = 'all'")
    await owner.execute(TASKS, tasks)
    with workers(Wanted(url), folder, 2) as team:  # type: ignore[arg-type]
        for kill in range(kills):
            before = await owner.fetchval(RUNS)
            more = random.randint(1, tasks)
            await until(lambda: _at_least(owner, before + more))  # noqa: B023 (awaited at once)
            team.kill(kill % 2)
            team.start(kill % 2)
        seen = await owner.fetchval(RUNS)
        await until(lambda: _at_least(owner, seen + tasks))
        await owner.execute(STOP)
        await until(lambda: _none_open(owner))
    return await _counted(owner, kills)


async def _at_least(owner: asyncpg.Connection, runs: int) -> bool:
    await asyncio.sleep(0)
    return bool(await owner.fetchval(RUNS) >= runs)


async def _none_open(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval(OPEN) == 0)


async def _counted(owner: asyncpg.Connection, kills: int) -> Counted:
    doubled = "SELECT count(*) - count(DISTINCT run) FROM noted"
    lost = "SELECT count(*) FROM scheduled_task_runs WHERE id NOT IN (SELECT run FROM noted)"
    still_open = RUNS + " WHERE outcome IS DISTINCT FROM 'done'"
    return Counted(
        runs=await owner.fetchval(RUNS),
        missed=await owner.fetchval("SELECT sum(missed)::int FROM scheduled_task_runs"),
        kills=kills,
        wrong=await owner.fetchval(WRONG),
        without_effect=await owner.fetchval(lost),
        doubled=await owner.fetchval(doubled),
        open_runs=await owner.fetchval(still_open),
    )
