"""Real schedulers under `kill -9`."""

from pathlib import Path

import asyncpg
import pytest

from schedules.killing import killed
from schedules.stage import CREATE

pytestmark = pytest.mark.requirement("schedules-once")


@pytest.mark.timeout(300)
async def test_killed_schedulers_fire_each_time_once(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    """Each time has one run with one effect, or is counted as missed by the next run."""
    await owner.execute(CREATE)
    counted = await killed(database_url, owner, tmp_path, tasks=20, kills=5, seed=1)
    assert counted.runs >= 20
    assert (counted.wrong, counted.without_effect, counted.doubled, counted.open_runs) == (
        *(0, 0),
        *(0, 0),
    )
