"""Interventions are made once each while API, worker, clock, PostgreSQL and Valkey are killed.

The long form, with 20,000 creations and 200 kills, is in tests/chaos.
"""

from random import Random

import asyncpg
import pytest

from chaos.hub import light_nodes
from creating import Creating, create_under_fire, require_each_once, settled
from fakes.mailserver import mail_server
from killing import ensemble

SEED = 23
CREATIONS, KILLS = 60, 5
KILLED = ("api", "worker", "beat", "postgres", "valkey")


@pytest.mark.requirement("intervention-once")
@pytest.mark.timeout(300)
async def test_whatever_is_killed_each_intervention_is_made_and_told_once() -> None:
    """Counted from the answers, the database and the mail server."""
    chance = Random(SEED)  # noqa: S311 (a seeded order of kills)
    with (
        light_nodes(5) as nodes,
        mail_server() as sink,
        ensemble(nodes, smtp_url=sink.url, quiet_hours="off", forward_events=False) as hub,
    ):
        creating = Creating(hub, chance)
        keys = [f"key-{number}" for number in range(CREATIONS)]
        await create_under_fire(creating, keys, KILLED, KILLS)
        owner = await asyncpg.connect(hub.database_url)
        await settled(owner, 120)
        await require_each_once(creating, owner, sink)
        await owner.close()
        assert creating.kills.total() > 0
