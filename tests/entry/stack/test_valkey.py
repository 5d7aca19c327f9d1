import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis.asyncio as redis

from servers import running_program
from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.resp import pings
from student_hub.entry.stack.valkey import EmbeddedValkey

pytestmark = pytest.mark.requirement("embedded-servers")


@contextmanager
def running(valkey: EmbeddedValkey, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    valkey.prepare()
    with running_program(valkey.program(), folder / "logs" / "test.log") as process:
        yield process


@pytest.fixture
def valkey(folder: Path) -> EmbeddedValkey:
    return EmbeddedValkey(folder)


async def test_a_second_start_finds_the_keys_at_the_same_address(
    folder: Path, valkey: EmbeddedValkey
) -> None:
    """What one run stored the next one finds, with the same port and password."""
    with running(valkey, folder):
        async with redis.from_url(valkey.url) as client:
            await client.set("학생", "1")
    again = EmbeddedValkey(folder)
    with running(again, folder):
        assert again.url == valkey.url
        async with redis.from_url(again.url) as client:
            assert await client.get("학생") == b"1"


async def test_a_killed_server_keeps_what_it_acknowledged(
    folder: Path, valkey: EmbeddedValkey
) -> None:
    """A kill -9 loses no acknowledged write: the append-only file is with the kernel by then."""
    with running(valkey, folder) as process:
        async with redis.from_url(valkey.url) as client:
            for number in range(1000):
                await client.rpush("queue", number)
        process.kill()
        process.wait()
    with running(valkey, folder):
        async with redis.from_url(valkey.url) as client:
            assert await client.llen("queue") == 1000


async def test_a_password_and_a_path_may_hold_blanks_and_quotes(tmp_path: Path) -> None:
    """Whatever an operator chose is quoted for the configuration, the wire and the address."""
    odd = tmp_path / 'a "b" \\ 학교'
    (odd / "logs").mkdir(parents=True)
    (odd / "valkey.password").write_text('p a"ss\\w@/ö\n')
    valkey = EmbeddedValkey(odd)
    with running(valkey, odd):
        async with redis.from_url(valkey.url) as client:
            assert await client.config_get("dir") == {"dir": str(odd / "valkey")}


async def test_only_keys_with_a_time_to_live_are_ever_evicted(
    folder: Path, valkey: EmbeddedValkey
) -> None:
    """The broker's lists have none: they are refused when memory is full, not dropped."""
    with running(valkey, folder):
        async with redis.from_url(valkey.url) as client:
            assert await client.config_get("maxmemory*") == {
                "maxmemory": str(256 * 1024 * 1024),
                "maxmemory-policy": "volatile-lru",
                "maxmemory-samples": "5",
                "maxmemory-eviction-tenacity": "10",
                "maxmemory-clients": "0",
            }


async def test_it_is_ready_only_for_who_knows_the_password(
    folder: Path, valkey: EmbeddedValkey
) -> None:
    """Another program's server on that port would not be taken for ours."""
    with running(valkey, folder):
        assert not await pings(valkey.port, "wrong")
    assert not await pings(valkey.port, "nobody listens")
    assert stat.S_IMODE((folder / "valkey" / "valkey.conf").stat().st_mode) == 0o600


async def test_a_server_left_running_is_stopped_before_another_starts(
    folder: Path, valkey: EmbeddedValkey
) -> None:
    """Two servers never write to the same append-only file."""
    with running(valkey, folder) as left:
        async with redis.from_url(valkey.url) as client:
            await client.set("kept", "1")
        with running(EmbeddedValkey(folder), folder):
            assert left.wait() == 0
            async with redis.from_url(valkey.url) as client:
                assert await client.get("kept") == b"1"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in the way is a sentence, not a traceback."""
    (tmp_path / "valkey").write_text("")
    with pytest.raises(StackError, match="valkey"):
        EmbeddedValkey(tmp_path).prepare()
