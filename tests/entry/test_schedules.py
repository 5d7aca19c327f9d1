"""The scheduler as a worker process has it."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from factories import a_student
from schedules.stage import NOON, Clock, Room, every, note_of
from student_hub.entry.house import House, build
from student_hub.entry.rooms.schedules import STANDING
from student_hub.entry.worker import rounds_of
from student_hub.platform.db.database import Database
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.settings import Settings
from student_hub.privacy.exporting import Exporting
from student_hub.schedules.checking import checked, schedule_of
from student_hub.schedules.figures import ScheduleFigures
from student_hub.schedules.schemas import TaskType
from student_hub.schedules.times import next_times

KEY = base64.b64encode(bytes(range(32))).decode()
EARLIER = "UPDATE scheduled_tasks SET next_run_at = now() - interval '90 s'"


@pytest.fixture
async def house(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    urls = {"database_url": database_url, "redis_url": valkey_url}
    house = build(Settings.model_validate({**urls, "encryption_key": KEY, "data_dir": tmp_path}))
    yield house
    await house.close()


@pytest.mark.requirement("schedules")
async def test_every_worker_ticks_each_second(house: House) -> None:
    """Beside its upkeep; one round of everything finds a database without tasks in order."""
    rounds = {each.name: each for each in rounds_of(house.parts)}
    assert rounds.keys() >= {"upkeep", "schedules", "task_runs", "standing_tasks"}
    assert rounds["schedules"].every_s == 1.0
    for each in rounds.values():
        await each.do()


@pytest.mark.requirement("schedules")
def test_the_contracts_periodic_work_is_at_its_times_in_seoul() -> None:
    """09:00 each day, 10:00 on Mondays, every hour on the hour."""
    names = [one.draft.task_type for one in STANDING]
    types = {name: TaskType(name, note_of) for name in names}
    drafts = [checked(one.draft, types) for one in STANDING]
    schedules = [schedule_of(draft, NOON) for draft in drafts]
    first = [next_times(each, each.after(NOON), 2) for each in schedules]
    assert [[f"{at:%a %d %H:%M}" for at in times] for times in first] == [
        ["Tue 03 00:00", "Wed 04 00:00"],
        ["Mon 09 01:00", "Mon 16 01:00"],
        ["Mon 02 04:00", "Mon 02 05:00"],
    ]


@pytest.mark.requirement("export")
async def test_an_export_has_the_students_tasks(
    house: House, database: Database, keyring: Keyring
) -> None:
    """Of that student alone."""
    room = Room(database, keyring, Clock())
    student, other = await a_student(room.students), await a_student(room.students)
    tasks = [
        await room.schedules.create(SYSTEM, every(60, task_type="check", student_id=one.id))
        for one in (student, other)
    ]
    pieces = await house.parts.get(Exporting).export(SYSTEM, student.id, "asked for")
    document = orjson.loads(b"".join([piece async for piece in pieces]))
    assert document["scheduled_tasks"] == [tasks[0].model_dump(mode="json")]


@pytest.mark.requirement("metrics")
async def test_ticks_runs_and_lag_are_counted(database: Database, keyring: Keyring) -> None:
    """What this process fired, and what the table says is due."""
    room, metrics = Room(database, keyring, Clock()), Metrics()
    figures = ScheduleFigures(metrics, room.schedules)
    for _ in range(2):
        await room.schedules.create(SYSTEM, every(60))
        room.clock.pass_by(hours=1)
    await room.do(EARLIER)
    before = (await metrics.scraped()).decode()
    assert "schedule_tasks_due 2.0" in before
    await figures.tick()
    after = (await metrics.scraped()).decode()
    assert 'schedule_ticks_total{ending="done"} 1.0' in after
    assert 'schedule_runs_total{beginning="fired",task_type="note"} 2.0' in after
    assert 'schedule_lag_seconds_bucket{le="300.0"} 2.0' in after
