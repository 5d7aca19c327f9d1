"""The access room on a database of its own, with a clock that tests turn."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from access.matrix_stage import Stage, set_up
from access.stage import Time, an_access, settle
from student_hub.access.service import Access
from student_hub.platform.db.database import Database
from student_hub.platform.db.listening import Listener


@pytest.fixture
async def database(database: Database) -> AsyncIterator[Database]:
    """A database that is closed once nobody notes the use of a key in it any more."""
    yield database
    await settle()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def access(database: Database, time: Time) -> Access:
    return an_access(database, clock=time)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Database]:
    """The way of whoever owns the tables, past what the hub itself may do."""
    owner = Database(database_url, role=None)
    yield owner
    await owner.close()


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    """A line to PostgreSQL's news; it starts once it is asked whether it hears."""
    listener = Listener(database_url)
    yield listener
    await listener.close()


@pytest.fixture
async def late_listener(empty_database_url: str) -> AsyncIterator[Listener]:
    """One that hears its server well and is told of nothing: the news is always still to come."""
    listener = Listener(empty_database_url)
    yield listener
    await listener.close()


@pytest.fixture
def stage(database_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Stage]:
    """A whole hub with the cast of the matrix before its doors."""
    with set_up(database_url, valkey_url, tmp_path) as stage:
        yield stage
