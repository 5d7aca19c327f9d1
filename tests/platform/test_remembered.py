"""What a process remembers of the database, and when it must not trust it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.db.listening import Listener

pytestmark = pytest.mark.requirement("remembered-rows")
CHANNEL = "changed"
VIEWERS = "viewer_changed"


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    listener = Listener(database_url)
    yield listener
    await listener.close()


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of another process."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class Loads:
    """A value in a database, and how often it was read."""

    def __init__(self) -> None:
        self.value = 1
        self.count = 0

    async def __call__(self) -> int:
        self.count += 1
        return self.value


async def until_hearing(listener: Listener) -> None:
    async with asyncio.timeout(10):
        while not listener.hears:  # noqa: ASYNC110 (the server's answer is what is waited for)
            await asyncio.sleep(0.01)


async def until_forgotten(remembered: Remembered[int], viewer: str | None = None) -> None:
    async with asyncio.timeout(10):
        while remembered.get("a", viewer) is not None:  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.005)


async def test_a_value_is_read_once_until_a_commit_elsewhere_changes_it(
    listener: Listener, writer: asyncpg.Connection
) -> None:
    """The notification of another process's commit makes the next read go to the database."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    await until_hearing(listener)
    for _ in range(3):
        assert await remembered.read("a", load) == 1
    assert load.count == 1
    load.value = 2
    await writer.execute(f"NOTIFY {CHANNEL}, 'a'")
    await until_forgotten(remembered)
    assert await remembered.read("a", load) == 2


async def test_another_key_is_not_forgotten(listener: Listener, writer: asyncpg.Connection) -> None:
    """A change makes stale just what it touches."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    await until_hearing(listener)
    await remembered.read("a", load)
    await remembered.read("b", load)
    await writer.execute(f"NOTIFY {CHANNEL}, 'a'")
    await until_forgotten(remembered)
    assert remembered.get("b") == 1


async def test_a_value_that_changes_while_it_is_read_is_not_remembered(
    listener: Listener,
) -> None:
    """The reader gets what they asked for; the next one asks again."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    await until_hearing(listener)

    async def overtaken() -> int:
        value = await load()
        remembered.forget("a")
        return value

    assert await remembered.read("a", overtaken) == 1
    assert remembered.get("a") is None


async def test_who_asks_at_the_same_time_shares_a_reading(listener: Listener) -> None:
    """A crowd costs one query; who comes after a change does not get what was before."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    gate = asyncio.Event()

    async def slow() -> int:
        value = await load()
        await gate.wait()
        return value

    before = [asyncio.create_task(remembered.read("a", slow)) for _ in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    load.value = 2
    remembered.forget("a")
    after = asyncio.create_task(remembered.read("a", slow))
    await asyncio.sleep(0)
    gate.set()
    assert set(await asyncio.gather(*before)) == {1}
    assert await after == 2
    assert load.count == 2


async def test_before_it_hears_nothing_is_remembered(listener: Listener) -> None:
    """A change between a read and the start of listening would be missed."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    await remembered.read("a", load)
    await until_hearing(listener)
    assert remembered.get("a") is None


async def test_a_broken_connection_makes_it_forget_and_it_hears_again(
    listener: Listener, writer: asyncpg.Connection
) -> None:
    """What happened while nobody listened is unknown, so nothing of before is used."""
    remembered, load = Remembered[int](listener, CHANNEL), Loads()
    await until_hearing(listener)
    await remembered.read("a", load)
    await writer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await until_forgotten(remembered)
    await until_hearing(listener)
    assert remembered.get("a") is None
    await remembered.read("a", load)
    assert remembered.get("a") == 1


async def test_the_oldest_value_makes_room(listener: Listener) -> None:
    """Memory is bounded."""
    remembered, load = Remembered[int](listener, CHANNEL, most=2), Loads()
    await until_hearing(listener)
    for key in ("a", "b", "c"):
        await remembered.read(key, load)
    assert remembered.get("a") is None
    assert remembered.get("c") == 1


async def test_each_viewer_has_what_was_read_for_them(listener: Listener) -> None:
    """What one has seen another has not, and who sees all has a reading of their own."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS), Loads()
    await until_hearing(listener)
    await remembered.read("a", load)
    assert remembered.get("a", "kim") is None
    await remembered.read("a", load, "kim")
    assert remembered.get("a", "kim") == 1
    assert remembered.get("a", "lee") is None
    assert load.count == 2


async def test_a_changed_value_is_forgotten_for_every_viewer(
    listener: Listener, writer: asyncpg.Connection
) -> None:
    """However many have seen it."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS), Loads()
    await until_hearing(listener)
    for viewer in (None, "kim", "lee"):
        await remembered.read("a", load, viewer)
    await writer.execute(f"NOTIFY {CHANNEL}, 'a'")
    for viewer in (None, "kim", "lee"):
        await until_forgotten(remembered, viewer)


async def test_a_changed_viewer_forgets_all_that_they_saw_and_nobody_elses(
    listener: Listener, writer: asyncpg.Connection
) -> None:
    """The notification of a changed grant makes their next read ask PostgreSQL."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS), Loads()
    await until_hearing(listener)
    for viewer in (None, "kim", "lee"):
        await remembered.read("a", load, viewer)
    await remembered.read("b", load, "kim")
    await writer.execute(f"NOTIFY {VIEWERS}, 'kim'")
    await until_forgotten(remembered, "kim")
    assert remembered.get("b", "kim") is None
    assert remembered.get("a", "lee") == remembered.get("a") == 1
    await remembered.read("a", load, "kim")
    assert remembered.get("a", "kim") == 1


async def test_a_viewer_who_changes_while_a_value_is_read_for_them_shares_no_such_reading(
    listener: Listener,
) -> None:
    """What was read under the old grants is neither remembered nor given to who asks after."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS), Loads()
    await until_hearing(listener)
    gate = asyncio.Event()

    async def slow() -> int:
        await load()
        await gate.wait()
        return load.count

    before = asyncio.create_task(remembered.read("a", slow, "kim"))
    await asyncio.sleep(0)
    remembered.forget_viewer("kim")
    after = asyncio.create_task(remembered.read("a", slow, "kim"))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(before, after)
    assert load.count == 2
    assert remembered.get("a", "kim") == 2


async def test_what_a_viewer_saw_is_asked_again_after_a_minute(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grant that expires tells nobody. Who sees all needs none."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS), Loads()
    monkeypatch.setattr("student_hub.platform.cache.remembered.VIEW_S", 0.0)
    await until_hearing(listener)
    for viewer in (None, "kim"):
        await remembered.read("a", load, viewer)
    assert remembered.get("a", "kim") is None
    assert remembered.get("a") == 1


async def test_values_of_many_viewers_make_room_too(listener: Listener) -> None:
    """Memory is bounded by all that is kept, not by the number of keys."""
    remembered, load = Remembered[int](listener, CHANNEL, viewers=VIEWERS, most=4), Loads()
    await until_hearing(listener)
    seen = [(key, viewer) for key in "abc" for viewer in ("kim", "lee")]
    for key, viewer in seen:
        await remembered.read(key, load, viewer)
    kept = [place for place in seen if remembered.get(*place) is not None]
    assert kept == seen[-4:]
