"""An audit log of a test's own: a folder for spool and anchors, and who writes and keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from student_hub.access.audit.anchors import Anchors
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    return tmp_path / "audit-spool"


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody who may do everything to the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def audit(database: Database, spool_folder: Path) -> AsyncIterator[Audit]:
    """An audit that drains when it is told to."""
    audit = Audit(database, Spool(spool_folder))
    yield audit
    await audit.close()


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    return Anchors(tmp_path / "audit-anchors.ndjson")


@pytest.fixture
def keeper(database: Database, keyring: Keyring, anchors: Anchors) -> LogKeeper:
    """Seals batches of ten."""
    return LogKeeper(database, keyring, anchors, batch=10)
