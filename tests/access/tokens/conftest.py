"""A hub that takes the tokens of a real OpenID provider."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from access.tokens.openid import OpenId, openid_provider
from factories import student_fields
from npm import Modules, installed_modules
from whole_hub import WholeHub, whole_hub

HERE = Path(__file__).parent
OWN_CLASS, OTHER_CLASS = "3", "4"


@dataclass(frozen=True)
class School:
    """A hub with a student in either of two classes, and the provider of its users."""

    hub: WholeHub
    provider: OpenId
    own: str
    other: str

    def client(self, token: str) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.Client(base_url=self.hub.url, headers=headers, timeout=30)


@pytest.fixture(scope="session")
def provider_modules() -> Modules:
    """The OpenID provider, installed."""
    return installed_modules(HERE)


@pytest.fixture
def provider(provider_modules: Modules) -> Iterator[OpenId]:
    with openid_provider(provider_modules) as provider:
        yield provider


@pytest.fixture
def school(
    provider: OpenId, database_url: str, valkey_url: str, tmp_path: Path
) -> Iterator[School]:
    port = a_free_port()
    given = {
        "data_dir": tmp_path,
        "oidc_issuers": {"school": provider.issuer},
        "resource_url": f"http://127.0.0.1:{port}",
    }
    with whole_hub(database_url, valkey_url, at_port=port, **given) as hub, hub.client() as admin:
        own, other = (_student(admin, name) for name in (OWN_CLASS, OTHER_CLASS))
        yield School(hub, provider, own, other)


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _student(admin: httpx2.Client, class_name: str) -> str:
    fields = student_fields(school_id="SCH001", grade=2, class_name=class_name)
    made = admin.post("/v1/students", json=fields)
    assert made.status_code == 201, made.text
    student_id: str = made.json()["id"]
    return student_id
