"""What is asked for once a day, and once a minute."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from factories import scalar
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.entry.house import House, build
from student_hub.entry.worker import DAILY, ask_for_daily_work, ask_for_work_of_the_minute
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.settings import Settings

KEY = base64.b64encode(bytes(32)).decode()
DONE = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL AND NOT failed"


@pytest.fixture
async def house(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    urls = {"database_url": database_url, "redis_url": valkey_url}
    given = {**urls, "encryption_key": KEY, "data_dir": tmp_path}
    house = build(Settings.model_validate(given))
    yield house
    await house.close()


@pytest.mark.requirement("ledger-pruned", "history-partitions", "audit-append-only")
async def test_the_work_of_a_day_is_asked_for_once_and_done(
    house: House, database: Database
) -> None:
    """Partitions are made and what is old is deleted, by handlers that the house really has."""
    for _ in range(2):
        await ask_for_daily_work(house.parts, datetime.now(UTC))
    await ask_for_daily_work(house.parts, datetime.now(UTC) + timedelta(days=1))
    await house.parts.get(Workshop).work(Queue.LOW_PRIORITY)
    assert await scalar(database, DONE) == 2 * len(DAILY)


@pytest.mark.requirement("audit-sealed")
async def test_the_audit_log_is_sealed_each_minute(
    house: House, database: Database, tmp_path: Path
) -> None:
    """Asked for once a minute however often; what the house noted is in the log, and anchored."""
    now = datetime.now(UTC).replace(second=0)
    async with house.parts.get(Database).transaction() as tx:
        await house.parts.get(Audit).note(tx, SYSTEM, Action.MASTER_KEY_ROTATE)
    for seconds in (0, 59, 60):
        await ask_for_work_of_the_minute(house.parts, now + timedelta(seconds=seconds))
    assert await house.parts.get(Workshop).work(Queue.LOW_PRIORITY) == 2
    assert await scalar(database, "SELECT action FROM audit_log") == "master_key.rotate"
    assert len((tmp_path / "audit-anchors.ndjson").read_bytes().splitlines()) == 1


@pytest.mark.requirement("audit-reads")
async def test_an_open_house_carries_what_was_read(
    house: House, database: Database, tmp_path: Path
) -> None:
    """From its folder into the database, at the latest when it is put away."""
    await house.open()
    house.parts.get(Audit).saw(SYSTEM, Action.KEY_LIST)
    assert len(list((tmp_path / "audit-spool").iterdir())) == 1
    await house.close()
    assert await scalar(database, "SELECT action FROM audit_inbox") == "key.list"
