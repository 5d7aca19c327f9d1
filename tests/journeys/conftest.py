"""One running platform with the demo school, shared by the journeys of a test process."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from journeys.stack import Stack, started


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(tmp_path_factory.mktemp("platform")) as stack:
        yield stack


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx2.Client]:
    """A client with the stack's key, as a script would make it from `student-hub env`."""
    env = stack.env()
    headers = {"X-API-Key": env["STUDENT_HUB_API_KEY"]}
    with httpx2.Client(base_url=env["STUDENT_HUB_URL"], headers=headers, timeout=30) as http:
        yield http


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return Path(__file__).parents[3] / "shared/data"
