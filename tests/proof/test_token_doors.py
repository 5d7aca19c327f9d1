"""How a client that was refused finds out who issues tokens, and what nodes never see."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from whole_hub import WholeHub, whole_hub

pytestmark = pytest.mark.requirement("token-doors")
ISSUER = "https://login.school.example/realms/mathesis"
RESOURCE = "https://hub.school.example"


@pytest.fixture
def hub(database_url: str, valkey_url: str, tmp_path: Path) -> Iterator[WholeHub]:
    issuers: dict[str, Any] = {"oidc_issuers": ISSUER, "resource_url": RESOURCE}
    with whole_hub(database_url, valkey_url, data_dir=tmp_path, **issuers) as running:
        yield running


@pytest.mark.parametrize("path", ["/mcp", "/rpc", "/v1/students"])
def test_a_refusal_points_to_metadata_that_names_the_issuer(hub: WholeHub, path: str) -> None:
    """WWW-Authenticate names a document (RFC 9728), which needs no key and names the issuer."""
    refused = httpx2.post(f"{hub.url}{path}", json={})
    assert refused.status_code == 401
    named = re.search(r'resource_metadata="([^"]+)"', refused.headers["www-authenticate"])
    assert named is not None
    assert named[1].startswith(RESOURCE)
    document = httpx2.get(hub.url + named[1].removeprefix(RESOURCE)).json()
    assert document["authorization_servers"] == [ISSUER]
    assert document["resource"].startswith(RESOURCE)


def test_nodes_receive_no_credential_of_the_caller(hub: WholeHub) -> None:
    """Neither the key nor any header that could carry one."""
    with hub.client() as client:
        pupil = {"name": "김철수", "school_id": "S1", "grade": 7, "class_name": "1반"}
        made = client.post("/v1/students", json=pupil).json()
        assert client.get(f"/v1/students/{made['id']}/profile").status_code == 200
    assert hub.node.seen
    for request in hub.node.seen:
        said = str(request).lower()
        assert not [name for name in ("authorization", "x-api-key", "cookie") if name in said]
        assert hub.key not in str(request)
