"""What every room's tests stand on: a PostgreSQL database of their own, made in milliseconds.

`database_url` is a clone of a template that is migrated once per run and server; `database` is the
hub's way to it. `postgres_url` and `valkey_url` come from `servers`.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from doorway import an_audit
from student_hub.history.service import History
from student_hub.migrations import run
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring
from student_hub.students.service import Students

pytest_plugins = ["servers"]
T = TypeVar("T")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def template(postgres_url: str, testrun_uid: str) -> str:
    """The name of a migrated database that nobody may connect to."""
    name = f"template_{hashlib.sha256(testrun_uid.encode()).hexdigest()[:12]}"
    _apart(_make_template(postgres_url, name))
    return name


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without any table, gone after the test."""
    yield from _cloned(postgres_url, "template0")


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """A migrated, empty database, gone after the test."""
    yield from _cloned(postgres_url, template)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner of the database, whom no policy binds: for what the hub may not."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))


@pytest.fixture
def students(database: Database, keyring: Keyring) -> Students:
    return Students(database, keyring, utc_now, an_audit(database))


@pytest.fixture
def history(database: Database, students: Students) -> History:
    return History(database, students, utc_now, an_audit(database))


def _cloned(postgres_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _apart(_execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    yield _database(postgres_url, name)
    _apart(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _make_template(postgres_url: str, name: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return
        await connection.execute(f"CREATE DATABASE {name}_draft")
        await run.upgrade(_database(postgres_url, f"{name}_draft"))
        await connection.execute(f"ALTER DATABASE {name}_draft ALLOW_CONNECTIONS false")
        await connection.execute(f"ALTER DATABASE {name}_draft RENAME TO {name}")
    finally:
        await connection.close()


async def _execute(postgres_url: str, sql: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _database(postgres_url: str, name: str) -> str:
    return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))


def _apart(work: Coroutine[object, object, T]) -> T:
    """Runs the coroutine in a thread and loop of its own, whatever loop the test runs in."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
