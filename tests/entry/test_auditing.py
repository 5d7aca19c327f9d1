"""`student-hub audit`: what it says, and its exit code."""

import base64
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from journeys.stack import HUB, clean_environment
from student_hub.access.audit.anchors import Anchors
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.schemas import Action, Outcome
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import Caller, Role
from student_hub.platform.security.keyring import Keyring

TEACHER = Caller("oidc:school:kim", frozenset(), Role.TEACHER)
MASTER = bytes(32)
BEFORE = datetime(2026, 11, 3, 2, tzinfo=UTC)
NOTED = text("SELECT door, action, detail FROM audit_inbox")
Hub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub(database_url: str, valkey_url: str, tmp_path: Path) -> Hub:
    """Runs `student-hub` on the test's database and a data folder of its own."""
    given = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "ENCRYPTION_KEY": base64.b64encode(MASTER).decode(),
        "DATA_DIR": str(tmp_path),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HUB, "audit", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**clean_environment(), **given},
            cwd=os.sep,
        )

    return run


@pytest.fixture
async def sealed(database: Database, tmp_path: Path) -> AsyncIterator[Audit]:
    """Five sealed entries of November 2026, three of them exports."""
    minutes = count()
    clock = lambda: BEFORE + timedelta(minutes=next(minutes))  # noqa: E731 (of this test alone)
    audit = Audit(database, Spool(tmp_path / "audit-spool"), clock)
    audit.saw(TEACHER, Action.PROFILE_READ, [uuid4()])
    audit.saw(TEACHER, Action.PROFILE_READ, [uuid4()], outcome=Outcome.REFUSED)
    audit.saw(TEACHER, Action.STUDENT_EXPORT, [uuid4()], reason="전학 서류")
    audit.saw(TEACHER, Action.STUDENT_EXPORT, [uuid4()], reason="생활기록부")
    audit.saw(TEACHER, Action.STUDENT_EXPORT, [uuid4()])
    await audit.drain()
    anchors = Anchors(tmp_path / "audit-anchors.ndjson")
    await LogKeeper(database, Keyring(MASTER), anchors, batch=2).seal()
    yield audit
    await audit.close()


@pytest.mark.usefixtures("sealed")
@pytest.mark.requirement("audit-tampering")
async def test_a_whole_log_is_said_to_be_whole_and_a_cut_one_where_it_was_cut(
    hub: Hub, database_url: str, tmp_path: Path
) -> None:
    """With the anchors of the data folder, or with a copy that was kept elsewhere."""
    whole = hub("verify")
    assert (whole.stdout, whole.returncode) == ("5 entries, 3 seals, 3 anchors: whole\n", 0)
    connection = await asyncpg.connect(database_url)
    for table, condition in (("audit_log", "seq = 5"), ("audit_seals", "number = 3")):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await connection.execute(f"DELETE FROM {table} WHERE {condition}")  # noqa: S608 (constants)
    await connection.close()
    cut = hub("verify")
    assert cut.stdout.startswith("broken at entry 5: truncated: batch 3, which an anchor knows")
    assert cut.returncode == 1
    kept = (tmp_path / "audit-anchors.ndjson").rename(tmp_path / "copy")
    assert hub("verify").stdout == "4 entries, 2 seals, no anchors: whole\n"
    assert hub("verify", "--anchors", str(kept)).returncode == 1


@pytest.mark.requirement("audit-tampering", "up-clear-refusals")
def test_anchors_that_cannot_be_used_are_a_sentence(hub: Hub, tmp_path: Path) -> None:
    """No such file, or one that holds something else."""
    (tmp_path / "odd").write_text("nothing\n")
    for file, reason in (("none", "there is no file"), ("odd", "line 1 of odd is no anchor")):
        done = hub("verify", "--anchors", str(tmp_path / file))
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert reason in done.stderr


@pytest.mark.requirement("audit-queries")
async def test_a_review_is_printed_for_people_and_noted(
    hub: Hub, sealed: Audit, database: Database
) -> None:
    """Volumes, exports with their reasons, what was refused; and who looked."""
    del sealed
    done = hub("review", "--month", "2026-11")
    assert done.stdout == (
        "2026-11 (Asia/Seoul): 5 entries, 1 subjects\n\n"
        "oidc:school:kim (teacher): 5 entries, 5 students\n"
        "  profile.read 2, student.export 3\n"
        "  volume: new\n"
        "  refused 1, outside 07:00-22:00 0\n"
        "  export 2026-11-03 11:02, 1 students: 전학 서류\n"
        "  export 2026-11-03 11:03, 1 students: 생활기록부\n"
        "  export 2026-11-03 11:04, 1 students: no reason\n"
        "  EXPORTS WITHOUT A REASON: 1\n"
    )
    async with database.transaction() as tx:
        rows = await tx.session.execute(NOTED)
    assert [tuple(row) for row in rows] == [("cli", "audit.read", {"review": "2026-11"})]
    assert "is not a month" in hub("review", "--month", "November").stderr
