"""A whole hub with nodes that say what a test wants, and a student to plan for."""

from collections.abc import Iterator

import pytest

from planning import Room, a_room


@pytest.fixture
def room(database_url: str, valkey_url: str) -> Iterator[Room]:
    with a_room(database_url, valkey_url) as room:
        yield room


@pytest.fixture
def deciding_room(database_url: str, valkey_url: str) -> Iterator[Room]:
    """Where every plan waits for a decision."""
    with a_room(database_url, valkey_url, intervention_approval="all") as room:
        yield room
