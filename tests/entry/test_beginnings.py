"""What happens before the hub takes its first request: schema, partitions, upkeep, demo school."""

import asyncio
import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from doorway import an_audit
from factories import a_student, scalar
from student_hub.entry.beat import ask_for_upkeep
from student_hub.entry.demo import FILE, load_demo_school
from student_hub.entry.migrating import downgrade, upgrade
from student_hub.entry.stack.errors import StackError
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.carrier import UPKEEP, make_celery
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.settings import Settings
from student_hub.students.service import Students

BOUND_S = 90
STUDENTS = "SELECT count(*) FROM students"
EVENTS = "SELECT count(*) FROM learning_history"


@pytest.fixture
def alone(database_url: str, valkey_url: str, tmp_path: Path) -> Settings:
    """A hub that hands its events to nobody, so that no worker is needed."""
    return settings_for(database_url, valkey_url, tmp_path)


def settings_for(database_url: str, valkey_url: str, folder: Path) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(valkey_url),
        celery_broker_url=SecretStr("memory://"),
        encryption_key=SecretStr(base64.b64encode(bytes(32)).decode()),
        forward_events=False,
        data_dir=folder,
    )


@pytest.mark.requirement("history-partitions", "migrations")
async def test_a_fresh_database_has_its_partitions_before_anything_is_written(
    empty_database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    """Schema and partitions of these months come together; a second time changes nothing."""
    settings = settings_for(empty_database_url, valkey_url, tmp_path)
    assert "0001" in await upgrade(settings)
    assert await upgrade(settings) == []
    database = Database(empty_database_url)
    this_month = "SELECT to_regclass(to_char(now(), '\"learning_history_\"YYYY_MM'))::text"
    assert await scalar(database, this_month)
    await database.close()
    await downgrade(settings, "base")


@pytest.mark.requirement("migrations", "up-clear-refusals")
async def test_a_database_that_cannot_be_used_is_a_sentence(
    database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    """Nobody there, or no such database: the reason is told."""
    for url, reason in (
        ("postgresql://nobody@127.0.0.1:1/x", "refused|failed"),
        (f"{database_url}_no_more", "does not exist"),
    ):
        settings = settings_for(url, valkey_url, tmp_path)
        with pytest.raises(StackError, match=reason):
            await upgrade(settings)
        with pytest.raises(StackError, match=reason):
            await downgrade(settings, "base")


@pytest.mark.requirement("history-partitions")
def test_the_clock_asks_for_upkeep_when_it_starts() -> None:
    """Not first after an hour; a broker that is away does not keep the clock from starting."""
    app = make_celery("memory://")
    ask_for_upkeep(app)
    with app.connection() as connection, connection.SimpleQueue(Queue.LOW_PRIORITY.value) as queue:
        message = queue.get(timeout=10)
        assert message.headers["task"] == UPKEEP
        message.ack()
    ask_for_upkeep(make_celery("redis://127.0.0.1:1/0"))


@pytest.mark.requirement("demo-school")
async def test_a_demo_school_that_was_broken_off_is_completed_by_the_next_start(
    alone: Settings, database: Database
) -> None:
    """Students are there by then, and yet it goes on; a start after that loads nothing."""
    async with asyncio.timeout(BOUND_S):
        loading = asyncio.create_task(load_demo_school(alone, lambda _line: None))
        while await scalar(database, EVENTS) == 0:
            assert not loading.done(), "it was too quick to be broken off"
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        part = await scalar(database, EVENTS)
        assert await scalar(database, STUDENTS)
        said: list[str] = []
        await load_demo_school(alone, said.append)
        assert "going on" in said[0]
        whole = await scalar(database, EVENTS)
        assert isinstance(part, int)
        assert isinstance(whole, int)
        assert part < whole
        assert f"{whole} learning events" in said[1]
        assert list(alone.data_dir.glob(f"{Path(FILE).stem}*")) == []
        await load_demo_school(alone, pytest.fail)


@pytest.mark.requirement("demo-school")
async def test_a_hub_with_students_gets_no_demo_school_from_an_old_file(
    alone: Settings, database: Database
) -> None:
    """A file that another database was given does not turn up in this one."""
    (alone.data_dir / FILE).write_text('{"kind": "student", "student": {}}\n')
    await a_student(Students(database, Keyring(bytes(32)), utc_now, an_audit(database)))
    await load_demo_school(alone, pytest.fail)
