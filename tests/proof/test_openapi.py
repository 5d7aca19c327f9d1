"""Requests made from the description of the interface, good and bad, and their answers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whole_hub import WholeHub, whole_hub

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
EXAMPLES = 30
FEWEST_CASES = 1_000


@pytest.fixture
def hub(database_url: str, valkey_url: str) -> Iterator[WholeHub]:
    with whole_hub(
        database_url, valkey_url, rate_limit_per_minute=0, expensive_rate_limit_per_minute=0
    ) as running:
        yield running


@pytest.mark.requirement("openapi-true")
@pytest.mark.timeout(900)
def test_no_request_breaks_what_the_description_promises(hub: WholeHub, tmp_path: Path) -> None:
    """For every route: no 5xx, and every answer is one that the description knows."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"{hub.url}/openapi.json", "--header", f"X-API-Key: {hub.key}"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(EXAMPLES), "--seed", "7", "--no-color", "--workers", "1"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    found = re.search(r"([\d,]+) generated", done.stdout)
    assert found is not None
    assert int(found[1].replace(",", "")) >= FEWEST_CASES
