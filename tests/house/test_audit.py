"""What `make audit` says: a run that could look nothing up does not pass for a clean one."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci/audit.py"
CLEAN = {"name": "clean", "version": "1", "vulns": []}
AWAY = {"name": "away", "version": "1", "skip_reason": "not found"}
WEAK = {"name": "weak", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}


def said(*packages: Mapping[str, object], strict: str = "") -> tuple[int, list[str]]:
    """The exit code and the lines for an audit of these packages."""
    return told(json.dumps({"dependencies": packages}), strict)


def told(answer: str, strict: str = "") -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input=answer,
        env={**os.environ, "AUDIT_STRICT": strict},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.requirement("dependency-audit")
def test_a_known_weakness_fails_and_is_named() -> None:
    """Also among packages that could not be looked up."""
    code, lines = said(CLEAN, AWAY, WEAK)
    assert code == 1
    assert lines == [
        "WEAK: weak 1: PYSEC-1, mended in 2",
        "not looked up: away",
        "looked up 2 of 3 packages, 1 with a known weakness",
    ]


@pytest.mark.requirement("dependency-audit")
def test_an_audit_of_nothing_says_so_and_fails_where_that_is_wanted() -> None:
    """An index without advisories finds no weakness in anything."""
    assert said(CLEAN) == (0, ["looked up 1 of 1 packages, 0 with a known weakness"])
    code, lines = said(AWAY)
    assert (code, lines[-1].partition(":")[0]) == (0, "NOTHING WAS AUDITED")
    assert said(AWAY, strict="1")[0] == 2
    assert said(AWAY, CLEAN, strict="1")[0] == 0


@pytest.mark.requirement("dependency-audit")
def test_an_audit_that_broke_off_fails() -> None:
    """No answer is no good answer."""
    assert told("")[0] == 1
