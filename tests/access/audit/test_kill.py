"""A process that is killed takes no read with it whose answer had left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from access.audit import reader
from access.audit.persons import column, request_ids
from access.audit.tampering import seeded
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.service import Audit
from student_hub.platform.db.database import Database

pytestmark = pytest.mark.requirement("audit-reads")
TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("draining", [False, True], ids=["noting", "noting and draining"])
async def test_every_read_that_was_answered_is_in_the_log_after_kill_9(
    audit: Audit,
    database: Database,
    database_url: str,
    keeper: LogKeeper,
    spool_folder: Path,
    *,
    draining: bool,
) -> None:
    """Each once, over three processes killed in full flight, and the chain is whole."""
    answered: list[str] = []
    where = [str(spool_folder), database_url] if draining else [str(spool_folder)]
    for seed in range(3):
        answered += killed_after(seeded(seed).randrange(50, 2_000), where)
    await audit.drain()
    await keeper.seal()
    stored = await request_ids(database)
    assert set(answered) <= set(stored)
    assert len(stored) == len(set(stored))
    # A process may have noted one read more than it could tell of.
    assert len(stored) - len(answered) <= 3
    assert await column(database, "SELECT count(*) FROM audit_inbox") == [0]
    assert (await keeper.verify()).finding is None


def killed_after(reads: int, where: list[str]) -> list[str]:
    """What a reader told of until it was killed in full flight, after that many reads."""
    with subprocess.Popen(
        [sys.executable, reader.__file__, *where],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{TESTS}"},
        text=True,
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(reads)]
        process.kill()
        told += process.stdout.readlines()
    return [line.strip() for line in told if line.endswith("\n")]
