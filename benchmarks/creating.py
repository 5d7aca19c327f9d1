"""Plans made while a worker follows: how long a call takes, and how far behind the jobs are."""

import time
from itertools import cycle, islice

import asyncpg
import uvloop

from benchmarks import asking
from benchmarks.results import Results
from benchmarks.scenarios import drive
from benchmarks.stage import Stage

CREATIONS = 1_000
CALLERS = 8
SECONDS = 15.0
LONGEST_S = 60.0
OPEN = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND queue = 'high_priority'"
DONE = """
    SELECT count(*) AS jobs,
        extract(epoch FROM max(finished_at) - min(created_at)) AS seconds,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY finished_at - created_at) AS p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY finished_at - created_at) AS p95
    FROM jobs WHERE queue = 'high_priority' AND finished_at IS NOT NULL AND NOT failed
"""


def run_creating(stage: Stage, results: Results, students: list[str]) -> None:
    """Plans by eight callers, and the chain of their jobs: how many a second, and their lag."""
    stage.start_worker()
    wires = asking.creations(islice(cycle(students), CREATIONS), stage.key)
    hub = stage.servers["hub_5ms"]
    seen = drive(hub, wires, CALLERS, SECONDS, len(wires))
    results.add(f"create_intervention_c{CALLERS}", seen)
    done = uvloop.run(_worked_off(stage.database_url))
    jobs = done["jobs"]
    results.note("workflow_jobs", round(jobs / float(done["seconds"]), 1), "jobs/s", jobs)
    for share in ("p50", "p95"):
        lag = done[share].total_seconds() * 1_000
        results.note(f"workflow_lag_{share}", round(lag, 1), "ms", jobs)


async def _worked_off(database_url: str) -> asyncpg.Record:
    connection, end = await asyncpg.connect(database_url), time.monotonic() + LONGEST_S
    try:
        while await connection.fetchval(OPEN) and time.monotonic() < end:
            time.sleep(0.1)  # noqa: ASYNC251 (nothing else happens in this loop)
        return await connection.fetchrow(DONE)
    finally:
        await connection.close()
