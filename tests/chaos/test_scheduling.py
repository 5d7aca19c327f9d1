"""D5 at length: years of schedules in virtual time, and schedulers under random `kill -9`."""

import os
from dataclasses import asdict
from pathlib import Path

import asyncpg
import pytest

from chaos.figures import Figures
from schedules.killing import killed
from schedules.stage import CREATE, Clock, Room
from schedules.virtual import hourly_and_slower, played
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring

KILLS = int(os.environ.get("CHAOS_KILLS", "60"))
SEED = 5
pytestmark = [pytest.mark.requirement("schedules-once"), pytest.mark.timeout(7_200)]


async def test_each_time_of_a_year_of_hours_is_fired_once(
    database: Database,
    database_url: str,
    keyring: Keyring,
    owner: asyncpg.Connection,
    figures: Figures,
) -> None:
    """Thirty tasks in seven zones, a tick at most every 29 minutes, two schedulers, aborts."""
    await owner.execute(CREATE)
    room, drafts = Room(database, keyring, Clock()), hourly_and_slower()
    play = await played(room, database_url, keyring, drafts, days=366, most_minutes=29, seed=SEED)
    fired = sum(map(len, play.runs.values()))
    for name, value in (
        ("d5_times", play.slots),
        ("d5_fired", fired),
        ("d5_jobs", play.jobs),
        ("d5_ticks", play.ticks),
        ("d5_aborted", play.aborted),
        ("d5_restarts", play.restarts),
    ):
        figures.note(name, float(value), "", n=play.slots, seed=SEED)
    assert play.runs == play.planned
    assert play.jobs == play.slots


async def test_schedulers_under_many_kills_fire_each_time_once(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path, figures: Figures
) -> None:
    """A hundred tasks a second, killed at random moments."""
    await owner.execute(CREATE)
    counted = await killed(database_url, owner, tmp_path, tasks=100, kills=KILLS, seed=SEED)
    for name, value in asdict(counted).items():
        figures.note(f"d5_killed_{name}", float(value), "", n=counted.runs, seed=SEED)
    assert counted.wrong == counted.without_effect == counted.doubled == counted.open_runs == 0
