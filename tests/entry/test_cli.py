"""What a person can mend is told in one sentence on standard error, with exit code 1."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from journeys.stack import HUB, clean_environment

pytestmark = pytest.mark.requirement("up-clear-refusals")
AWAY = "postgresql://nobody:planted-secret@127.0.0.1:1/nothing"
CONNECTED = {
    "DATABASE_URL": AWAY,
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ENCRYPTION_KEY": base64.b64encode(bytes(32)).decode(),
}
RENAMED = json.dumps({"q-dna.get_mastery": {"name": "mastery"}})
REFUSALS: dict[str, tuple[list[str], dict[str, str], str]] = {
    "a short key": (["serve"], {"API_KEY": "planted-secret"}, "API_KEY must have 16 characters"),
    "a Korean key": (["serve"], {"API_KEY": "planted-secret-열쇠-열쇠"}, "API_KEY may have"),
    "another database": (
        ["serve"],
        {"DATABASE_URL": "mysql://u:planted-secret@h/d"},
        "DATABASE_URL must start with postgresql://",
    ),
    "no port": (
        ["serve"],
        {"DATABASE_URL": "postgresql://u:planted-secret@h:port/d"},
        "DATABASE_URL must look like postgresql://",
    ),
    "another cache": (["serve"], {"REDIS_URL": "memcached://planted-secret"}, "REDIS_URL must"),
    "an unknown tool": (["up"], {"NODE_TOOLS": RENAMED}, "NODE_TOOLS names q-dna.get_mastery,"),
    "no JSON": (["up"], {"NODE_TOOLS": "{planted-secret"}, "the setting NODE_TOOLS is not JSON"),
    "migrate, database away": (["migrate"], CONNECTED, "the database of DATABASE_URL cannot be"),
    "import, database away": (["import", "ndjson", "/dev/null"], CONNECTED, "cannot be used"),
}


@pytest.mark.parametrize(("command", "given", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_what_a_person_can_mend_is_one_sentence(
    tmp_path: Path, command: list[str], given: dict[str, str], sentence: str
) -> None:
    """No trace, no secret, exit code 1."""
    done = hub(*command, "--data-dir", str(tmp_path), **given)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "planted-secret" not in done.stdout + done.stderr


def test_an_import_file_that_cannot_be_read_is_named_as_such(
    tmp_path: Path, database_url: str
) -> None:
    """One sentence for no file, a folder, and a gzip file that is cut off."""
    cut = tmp_path / "cut.gz"
    cut.write_bytes(b"\x1f\x8b\x08\x00")
    for file in (tmp_path / "none", tmp_path, cut):
        given = {**CONNECTED, "DATABASE_URL": database_url}
        done = hub("import", "ndjson", str(file), "--data-dir", str(tmp_path), **given)
        assert done.returncode == 1
        assert "The file cannot be imported" in done.stderr
        assert "Traceback" not in done.stderr


def hub(*arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HUB, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean_environment(), **given},
        cwd=os.sep,
    )
