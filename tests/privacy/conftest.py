"""The room, with real rooms below it."""

import pytest

from privacy_stage import Room
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring


@pytest.fixture
def room(database: Database, keyring: Keyring) -> Room:
    return Room(database, keyring)
