"""The room's own fixtures."""

import asyncpg
import pytest

from schedules.stage import CREATE, Clock, Room
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(
    database: Database, keyring: Keyring, clock: Clock, owner: asyncpg.Connection
) -> Room:
    await owner.execute(CREATE)
    return Room(database, keyring, clock)
