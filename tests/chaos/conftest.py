"""The long forms of the proofs: minutes of real trouble, with figures.

They are left out of every run in which CHAOS is not set: `make chaos` sets it. What they measure is
printed, and kept in `benchmarks/results/chaos.json`.
"""

import os
from collections.abc import Iterator

import pytest

from chaos.figures import Figures

collect_ignore_glob = [] if os.environ.get("CHAOS") else ["test_*.py"]


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Iterator[Figures]:
    """Takes the figures of a test; they are kept and printed also when it fails."""
    figures = Figures()
    yield figures
    with capsys.disabled():
        print("\n" + figures.keep())  # noqa: T201 (a person is waiting for it)
