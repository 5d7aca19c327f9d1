"""A whole small stack, killed in every way."""

import os
import signal
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio as redis

from entry.stack.driven import NOBODY, driven, folder_of_nobody, kill, ordinary_python, start
from entry.stack.table import living, members, rows, wait_until
from student_hub.entry.stack.state import read_state

pytestmark = pytest.mark.requirement("supervisor-no-orphans")


async def store(database_url: str, redis_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()
    async with redis.from_url(redis_url) as client:
        await client.set("kept", "42")


async def recall(database_url: str, redis_url: str) -> tuple[object, object]:
    connection = await asyncpg.connect(database_url)
    answer = await connection.fetchval("SELECT answer FROM kept")
    await connection.close()
    async with redis.from_url(redis_url) as client:
        return answer, await client.get("kept")


async def test_a_killed_supervisor_leaves_no_process_and_the_next_start_finds_the_data(
    new_folder: Path,
) -> None:
    """After kill -9 no group has a member, not even one that ignores signals; nothing is lost."""
    with driven(new_folder) as first:
        state = first.state()
        await store(state.database_url, state.redis_url)
        everything = first.everything()
        kill(first.process.pid)
        wait_until(lambda: not living(everything))
        assert not any(members(group) for group in state.pids.values())
        assert len(everything) > 8
    with driven(new_folder) as second:
        assert second.state().ports == state.ports
        assert await recall(state.database_url, state.redis_url) == (42, b"42")


async def test_killed_servers_come_back_with_their_data(new_folder: Path) -> None:
    """The supervisor restarts PostgreSQL and Valkey on their ports."""
    with driven(new_folder) as child:
        state = child.state()
        await store(state.database_url, state.redis_url)
        for name in ("postgres", "valkey"):
            kill(state.pids[name])
            child.wait_for(f"{name} is ready")
        assert await recall(state.database_url, state.redis_url) == (42, b"42")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_cleanly(new_folder: Path, number: signal.Signals) -> None:
    """It exits with 0, leaves no process, and says nowhere that it still runs."""
    with driven(new_folder) as child:
        everything = child.everything()
        child.process.send_signal(number)
        child.wait_for("down\n")
        assert child.process.wait(30) == 0
        assert not living(everything)
        assert read_state(new_folder) is None
        assert not (new_folder / "stack.json").exists()
    assert not (new_folder / "pgdata" / "postmaster.pid").exists()


def test_a_killed_guard_is_replaced(new_folder: Path) -> None:
    """The new guard knows the groups that the old one was told of."""
    with driven(new_folder) as child:
        old = guard_of(child.process.pid)
        kill(old)
        wait_until(lambda: guard_of(child.process.pid) not in {0, old})
        everything = child.everything()
        kill(child.process.pid)
        wait_until(lambda: not living(everything))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells a child of it")
def test_without_its_guard_a_killed_supervisor_still_takes_its_servers_along(
    new_folder: Path,
) -> None:
    """Linux itself stops the direct children; only deaf ones could stay."""
    with driven(new_folder) as child:
        state = child.state()
        os.kill(child.process.pid, signal.SIGSTOP)  # so that it cannot replace the guard
        kill(guard_of(child.process.pid))
        kill(child.process.pid)
        wait_until(lambda: not living([state.pids["postgres"], state.pids["valkey"]]))
        os.killpg(state.pids["family"], signal.SIGKILL)


def guard_of(pid: int) -> int:
    """The supervisor's guard process; 0 while it has none."""
    for row in rows():
        command = Path(f"/proc/{row.pid}/cmdline")
        if row.parent == pid and not row.zombie and b"guard_process" in command.read_bytes():
            return row.pid
    return 0


def test_a_second_stack_on_the_same_folder_is_refused(new_folder: Path) -> None:
    """One sentence with the pid of the first, which runs on untouched."""
    with driven(new_folder) as first:
        second = start(new_folder)
        said, _ = second.communicate(timeout=30)
        assert second.returncode == 1
        pid = first.process.pid
        assert said == f"another student-hub runs on this data folder (pid {pid}).\n"
        assert first.process.poll() is None


@pytest.mark.usefixtures("root")
async def test_an_ordinary_user_needs_nothing_special(new_folder: Path) -> None:
    """The same stack runs under an account without any right, in a folder of its own."""
    with driven(folder_of_nobody(new_folder), ordinary_python(), NOBODY) as child:
        state = child.state()
        await store(state.database_url, state.redis_url)
        pgdata = os.stat(new_folder / "pgdata")  # noqa: PTH116 - a quick look in an async test
        assert (pgdata.st_uid, pgdata.st_mode & 0o777) == (NOBODY, 0o700)
