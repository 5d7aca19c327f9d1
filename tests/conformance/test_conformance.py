"""The official MCP conformance suite against the hub's transport stack, served for real."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from conformance.fixture_server import fixture_app
from doorway import Running, running
from npm import Modules

pytestmark = [
    pytest.mark.requirement("mcp-conformance", "mcp-both-eras"),
    pytest.mark.timeout(700),  # the first run installs the suite
]

EXPECTED = Path(__file__).parent / "expected.yaml"
RUNS = {
    "2026-07-28": ("conformance-2026", "--requirements", "2026-07-28"),
    "2025-11-25": ("conformance-2026", "--requirements", "2025-11-25"),
    "2025-06-18": ("conformance-2025", "--spec-version", "2025-06-18"),
}


class Counts(BaseModel):
    passed: int
    failed: int


class Reason(BaseModel):
    because: str
    scenarios: list[str]
    revision: str | None = None


class Expected(BaseModel):
    runs: dict[str, Counts]
    failures: list[Reason]

    def of(self, revision: str) -> list[str]:
        """The scenarios that may fail in that revision."""
        there = [reason for reason in self.failures if reason.revision in {None, revision}]
        return [name for reason in there for name in reason.scenarios]


@pytest.fixture(scope="session")
def expected() -> Expected:
    return Expected.model_validate(yaml.safe_load(EXPECTED.read_text()))


@pytest.fixture(scope="module")
def hub() -> Iterator[Running]:
    with running(fixture_app()) as hub:
        yield hub


@pytest.mark.parametrize("revision", RUNS)
def test_the_stack_conforms_but_for_what_is_stated(
    revision: str, hub: Running, modules: Modules, expected: Expected, tmp_path: Path
) -> None:
    """Every check passes or is an expected failure with a reason; none that passes is listed."""
    baseline = tmp_path / "baseline.yaml"
    baseline.write_text(yaml.safe_dump({"server": expected.of(revision)}))
    package, *chosen = RUNS[revision]
    done = modules.run(
        modules.path / package / "dist" / "index.js",
        *("server", "--url", f"{hub.url}/mcp", *chosen),
        *("--expected-failures", str(baseline), "-o", str(tmp_path / "results")),
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    total = re.search(r"Total: (\d+) passed, (\d+) failed", done.stdout)
    assert total is not None, done.stdout[-2_000:]
    assert Counts(passed=int(total[1]), failed=int(total[2])) == expected.runs[revision]


def test_every_expected_failure_has_a_reason(expected: Expected) -> None:
    """No scenario is listed twice, and none without saying why."""
    names = [name for reason in expected.failures for name in reason.scenarios]
    assert len(names) == len(set(names))
    assert all(len(reason.because) > 40 for reason in expected.failures)
