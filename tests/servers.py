"""A pytest plugin: one real PostgreSQL and one real Valkey for a whole test run.

With xdist the controller starts them and its workers find them by the environment; without it they
start when the first test asks. They die with the test run, even when that is killed with -9.
Servers of your own are used when STUDENT_HUB_TEST_DATABASE_URL (of a superuser) and
STUDENT_HUB_TEST_REDIS_URL name them.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.guard import Guard
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.program import Program
from student_hub.entry.stack.valkey import EmbeddedValkey

DATABASE_VARIABLE = "STUDENT_HUB_TEST_DATABASE_URL"
REDIS_VARIABLE = "STUDENT_HUB_TEST_REDIS_URL"
SYSTEM_DIR_VARIABLE = "STUDENT_HUB_SYSTEM_DIR"
_PREFIX = "student-hub-tests-"
_RUNNING = pytest.StashKey[ExitStack]()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a real PostgreSQL, for a superuser who may make databases."""
    given = os.environ.get(DATABASE_VARIABLE)
    with ExitStack() as running:
        yield given or running.enter_context(postgres_server())


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of database 0 of a real Valkey."""
    given = os.environ.get(REDIS_VARIABLE)
    with ExitStack() as running:
        yield given or running.enter_context(valkey_server())


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL that never syncs to disk; its address."""
    with scratch_folder() as folder:
        postgres = EmbeddedPostgres(folder, durable=False)
        postgres.prepare()
        with running_program(postgres.program(), folder / "logs" / "postgres.log"):
            yield postgres.url


@contextmanager
def valkey_server() -> Iterator[str]:
    """Run a Valkey that keeps nothing on disk; its address."""
    with scratch_folder() as folder:
        valkey = EmbeddedValkey(folder, durable=False)
        valkey.prepare()
        with running_program(valkey.program(), folder / "logs" / "valkey.log"):
            yield valkey.url


@contextmanager
def running_program(program: Program, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends; it is ready when the block begins."""
    guard = Guard()
    try:
        with _started(program, guard, log) as process:
            yield process
    finally:
        guard.close()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A data folder that the servers' account can reach, unlike pytest's own as root."""
    folder = open_folder(_scratch_path())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Keep out the plugin of Valkey's wheel: its `valkey_url` is on a fixed port of the machine."""
    if not manager.is_blocked("valkey"):
        manager.set_blocked("valkey")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return
    _sweep()
    with ExitStack() as starting:
        starting.enter_context(_system_dir())
        if config.getoption("tx", default=None):
            starting.enter_context(_handed_to_workers(DATABASE_VARIABLE, postgres_server))
            starting.enter_context(_handed_to_workers(REDIS_VARIABLE, valkey_server))
        config.stash[_RUNNING] = starting.pop_all()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _RUNNING in config.stash:
        config.stash[_RUNNING].close()


@contextmanager
def _handed_to_workers(
    variable: str, server: Callable[[], AbstractContextManager[str]]
) -> Iterator[None]:
    if variable in os.environ:
        yield
        return
    with server() as url, _variable(variable, url):
        yield


@contextmanager
def _system_dir() -> Iterator[None]:
    """Keep what root's servers cannot reach elsewhere out of the machine's own folders."""
    folder = _scratch_path()
    folder.mkdir()
    folder.chmod(0o711)
    try:
        with _variable(SYSTEM_DIR_VARIABLE, str(folder)):
            yield
    finally:
        shutil.rmtree(folder)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _started(program: Program, guard: Guard, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    if program.before:
        program.before()
    with log.open("wb") as output:
        process = subprocess.Popen(
            guard.leashed(program),
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(guard.pipe,),
            start_new_session=True,
        )
    try:
        _wait_until_ready(program, process, log)
        yield process
    finally:
        _stop(process, program)


def _wait_until_ready(program: Program, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + program.ready_within
    with ThreadPoolExecutor(1) as thread:  # a loop of its own, for a test's loop may run here
        while not thread.submit(asyncio.run, _is_ready(program)).result():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{program.name} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.01)


async def _is_ready(program: Program) -> bool:
    return program.ready is None or await program.ready()


def _stop(process: subprocess.Popen[bytes], program: Program) -> None:
    process.send_signal(program.stop_signal)
    try:
        process.wait(program.stop_grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _scratch_path() -> Path:
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def _sweep() -> None:
    """Remove what test runs that were killed left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            os.kill(int(folder.name.removeprefix(_PREFIX).split("-")[0]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue
