"""The whole hub, served for real, with nodes that nobody answers for."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from doorway import ADMINISTRATOR_KEY, Running, running, well
from factories import student_fields
from npm import Modules, installed_modules
from student_hub.entry.api import create_app
from student_hub.entry.house import build
from student_hub.platform.http.health import Health
from student_hub.platform.settings import Settings

NOBODY = "http://127.0.0.1:1/mcp"


@dataclass(frozen=True)
class Hub:
    """Where the hub is, and one student that it knows."""

    running: Running
    student_id: str

    @property
    def mcp(self) -> str:
        return f"{self.running.url}/mcp"


@pytest.fixture(scope="session")
def modules() -> Modules:
    """The TypeScript clients, installed."""
    return installed_modules()


@pytest.fixture
def hub(database_url: str, valkey_url: str) -> Iterator[Hub]:
    house = build(settings_of(database_url, valkey_url))
    settings = settings_of(database_url, valkey_url)
    health = Health(well, well, {})
    app = create_app(house.parts, settings, health, on_stop=house.close)
    with running(app) as served:
        created = httpx2.post(
            f"{served.url}/v1/students",
            json=student_fields(name="김철수"),
            headers={"X-API-Key": ADMINISTRATOR_KEY},
        )
        yield Hub(served, created.json()["id"])


def settings_of(database_url: str, valkey_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": valkey_url,
            "api_key": ADMINISTRATOR_KEY,
            "encryption_key": base64.b64encode(bytes(range(32))).decode(),
            **{f"node{number}_url": NOBODY for number in range(1, 7)},
        }
    )
