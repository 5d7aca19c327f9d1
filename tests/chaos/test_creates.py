"""D1: interventions created while everything is killed at random; nothing lost, nothing twice."""

import os
import time
from random import Random

import asyncpg
import pytest

from chaos.figures import Figures
from chaos.hub import light_nodes
from creating import Creating, create_under_fire, require_each_once, settled
from fakes.mailserver import mail_server
from killing import ensemble

SEED = 29
CREATIONS = int(os.environ.get("CHAOS_CREATIONS", "20000"))
KILLS = CREATIONS // 100
PLACES = {"high_priority_threads": 8, "default_threads": 8, "low_priority_threads": 4}
KILLED = ("api", "worker", "beat", "postgres", "valkey")


@pytest.mark.requirement("intervention-once")
@pytest.mark.timeout(3_600)
async def test_twenty_thousand_interventions_under_two_hundred_kills(figures: Figures) -> None:
    """Counted from the answers, the database and the mail server."""
    chance, began = Random(SEED), time.monotonic()  # noqa: S311 (a seeded order of kills)
    with (
        light_nodes(5) as nodes,
        mail_server() as sink,
        ensemble(
            nodes, smtp_url=sink.url, quiet_hours="off", forward_events=False, **PLACES
        ) as hub,
    ):
        creating = Creating(hub, chance)
        keys = [f"key-{number}" for number in range(CREATIONS)]
        await create_under_fire(creating, keys, KILLED, KILLS)
        owner = await asyncpg.connect(hub.database_url)
        lag_s = await settled(owner, 900)
        counts = await require_each_once(creating, owner, sink)
        await owner.close()
    for what, count in counts.items():
        figures.note(f"d1_{what.replace(' ', '_')}", count, "count", n=CREATIONS, seed=SEED)
    for name, times in creating.kills.items():
        figures.note(f"d1_kills_{name}", times, "kills", n=CREATIONS, seed=SEED)
    figures.note("d1_longest_lag", lag_s, "s", n=CREATIONS, seed=SEED)
    figures.note("d1_took", time.monotonic() - began, "s", n=CREATIONS, seed=SEED)
    figures.times("d1_until_answered", creating.times, seed=SEED)
