"""No setting is a secret of the source."""

import re
from pathlib import Path

import pytest

from student_hub.platform.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = {name.upper() for name in Settings.model_fields}


@pytest.mark.requirement("house-settings")
def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row for each setting, and for nothing else."""
    text = (ROOT / "docs/settings.md").read_text().replace("`NODE1_URL` … `NODE6_URL`", NODE_ROW)
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)} == NAMES


NODE_ROW = " ".join(f"`NODE{number}_URL`" for number in range(1, 7))


@pytest.mark.requirement("house-settings")
def test_every_setting_is_in_the_example() -> None:
    """.env.example names each setting once, and no other."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [match[1] for line in lines if (match := re.match(r"# ([A-Z0-9_]+)=", line))]
    assert sorted(named) == sorted(NAMES)
