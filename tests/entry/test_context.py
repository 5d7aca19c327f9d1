"""Which settings a command has, and what it hands on to other processes."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from student_hub.entry import programs
from student_hub.entry.context import environment, local_url, read_settings
from student_hub.nodes.registry import NodeName
from student_hub.platform.settings import Settings, ToolName

SECRETS = {"DATABASE_URL", "REDIS_URL", "API_KEY", "ENCRYPTION_KEY"}
HOSTS = [
    ("127.0.0.1", "http://127.0.0.1:8000"),
    ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 (nothing is bound here)
    ("", "http://127.0.0.1:8000"),
    ("::", "http://[::1]:8000"),
    ("fd00::7", "http://[fd00::7]:8000"),
    ("10.1.2.3", "http://10.1.2.3:8000"),
    ("hub.internal", "http://hub.internal:8000"),
]


@pytest.mark.requirement("house-settings", "nodes-configurable")
def test_another_process_reads_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects, lists, secrets, numbers, truths and paths survive the way through an environment."""
    given = Settings(
        database_url=SecretStr("postgresql://u:p@h/d"),
        api_key=None,
        node_tools={"q-dna.get_mastery_level": ToolName(name="m", arguments={"student_id": "x"})},
        allowed_hosts=["hub.example", "[::1]"],
        forward_events=False,
        profile_ttl_s=7,
        data_dir=tmp_path,
    )
    for name, value in environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings().model_dump(exclude_unset=True).items() >= (
        given.model_dump(exclude_unset=True, exclude_none=True).items()
    )
    assert read_settings(None).node_tools == given.node_tools


@pytest.mark.requirement("house-settings")
def test_a_reference_node_learns_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the hub's keys nor the addresses of its servers are in the environment of a node."""
    for name in SECRETS:
        monkeypatch.setenv(name, "planted")
    node = programs.reference_node(NodeName.Q_DNA, 1, tmp_path)
    assert SECRETS & node.env.keys() == set()
    assert "planted" not in json.dumps(dict(node.env))
    api = programs.api(Settings(data_dir=tmp_path))
    assert api.env.keys() >= SECRETS


@pytest.mark.requirement("up-one-command")
@pytest.mark.parametrize(("host", "url"), HOSTS)
def test_the_api_is_polled_where_it_listens(host: str, url: str) -> None:
    """Loopback for an API that listens everywhere, and else the address of HOST."""
    assert local_url(Settings(host=host)) == url
