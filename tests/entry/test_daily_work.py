"""What is asked for once a day."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from factories import scalar
from student_hub.entry.house import build
from student_hub.entry.worker import ask_for_daily_work
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.settings import Settings

KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.requirement("ledger-pruned", "history-partitions")
async def test_the_work_of_a_day_is_asked_for_once_and_done(
    database: Database, database_url: str, valkey_url: str
) -> None:
    """Partitions are made and old jobs deleted, by handlers that the house really has."""
    house = build(
        Settings.model_validate(
            {"database_url": database_url, "redis_url": valkey_url, "encryption_key": KEY}
        )
    )
    try:
        for _ in range(2):
            await ask_for_daily_work(house.parts, datetime.now(UTC))
        await ask_for_daily_work(house.parts, datetime.now(UTC) + timedelta(days=1))
        assert await house.parts.get(Workshop).work(Queue.LOW_PRIORITY) == 4
    finally:
        await house.close()
    done = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL AND NOT failed"
    assert await scalar(database, done) == 4
