"""From the inbox into the log: in batches, without gaps, by one at a time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from access.audit.persons import STUDENT, column, request_ids, teacher
from student_hub.access.audit import repository
from student_hub.access.audit.anchors import Anchors, AnchorsUnreadable, anchor_of
from student_hub.access.audit.chain import is_ours, next_seal
from student_hub.access.audit.errors import LogUnsound
from student_hub.access.audit.jobs import audit_handlers
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.messages import PruneAudit, SealAudit
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.verification import Verdict
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring

pytestmark = pytest.mark.requirement("audit-sealed")


SAY_AGAIN = """
    INSERT INTO audit_inbox
        (id, at, subject, role, credential, door, action, outcome, student_ids, detail)
    SELECT id, at, 'another', role, credential, door, action, outcome, student_ids, detail
    FROM audit_log
"""


async def note(audit: Audit, database: Database, count: int) -> None:
    """So many entries, in the inbox."""
    async with database.transaction() as tx:
        for _ in range(count):
            await audit.note(
                tx, teacher(), Action.STUDENT_UPDATE, [STUDENT], reason="왜", detail={"n": 1}
            )


async def test_what_arrives_is_sealed_without_a_gap(
    audit: Audit, database: Database, keeper: LogKeeper
) -> None:
    """Run after run the numbers go on, a seal a batch, and the inbox is empty."""
    for count, sealed in ((25, 25), (0, 0), (10, 10), (3, 3)):
        await note(audit, database, count)
        assert await keeper.seal() == sealed
    assert await column(database, "SELECT seq FROM audit_log ORDER BY 1") == list(range(1, 39))
    assert await column(database, "SELECT count FROM audit_seals ORDER BY number") == [
        10,
        10,
        5,
        10,
        3,
    ]
    assert await column(database, "SELECT count(*) FROM audit_inbox") == [0]
    assert await keeper.verify() == Verdict(38, 5)


async def test_many_who_seal_at_once_make_one_chain(
    audit: Audit, database: Database, keyring: Keyring, anchors: Anchors
) -> None:
    """While entries arrive; nothing is sealed twice or left out."""
    keepers = [LogKeeper(database, keyring, anchors, batch=7) for _ in range(4)]
    for _ in range(5):
        await asyncio.gather(note(audit, database, 30), *(keeper.seal() for keeper in keepers))
    await keepers[0].seal()
    assert await column(database, "SELECT seq FROM audit_log ORDER BY 1") == list(range(1, 151))
    assert (await keepers[0].verify(anchors.all())).finding is None


async def test_each_seal_is_anchored_outside_of_the_database(
    audit: Audit, database: Database, keeper: LogKeeper, anchors: Anchors
) -> None:
    """In a file that only its owner reads, seal by seal, also those whose anchor was missed."""
    await note(audit, database, 25)
    await keeper.seal()
    whole = anchors.path.read_bytes()
    anchors.path.write_bytes(whole.splitlines(keepends=True)[0] + b'{"number": 2, "cut off')
    await note(audit, database, 1)
    await keeper.seal()
    async with database.transaction() as tx:
        seals = await repository.seals(tx, 0, 100)
    assert anchors.all() == [anchor_of(seal) for seal in seals]
    assert anchors.path.stat().st_mode & 0o777 == 0o600


async def test_anchors_that_cannot_be_written_do_not_stop_the_sealing(
    audit: Audit, database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """A folder stands in the file's place: the log has the seals all the same."""
    (tmp_path / "anchors").mkdir()
    keeper = LogKeeper(database, keyring, Anchors(tmp_path / "anchors"))
    await note(audit, database, 3)
    assert await keeper.seal() == 3
    assert await keeper.verify() == Verdict(3, 1)


def test_a_file_of_anchors_is_read_to_its_last_whole_line(anchors: Anchors) -> None:
    """A cut-off last line is none yet; any other that is no anchor is named."""
    line = b'{"number":1,"last_seq":9,"sealed_at":"2026-11-23T00:00:00+00:00","seal":"00"}\n'
    anchors.path.write_bytes(line + line[:20])
    assert [anchor.number for anchor in anchors.all()] == [1]
    anchors.path.write_bytes(line + b"nothing\n" + line)
    with pytest.raises(AnchorsUnreadable, match="line 2 of"):
        anchors.all()


@pytest.mark.requirement("audit-tampering")
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_seals SET head = decode(repeat('00', 32), 'hex')",
        "UPDATE audit_seals SET key_id = 'another'",
        "DELETE FROM audit_seals",
        "DELETE FROM audit_log WHERE seq = 3",
    ],
)
async def test_nothing_is_sealed_over_an_end_that_is_unsound(
    audit: Audit,
    database: Database,
    keeper: LogKeeper,
    superuser: asyncpg.Connection,
    tampering: str,
) -> None:
    """Or the next seal would vouch for it; what has arrived waits."""
    await note(audit, database, 3)
    await keeper.seal()
    await superuser.execute("SET session_replication_role = replica")
    for table in ("audit_log", "audit_seals"):
        await superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await superuser.execute(tampering)
    await note(audit, database, 2)
    with pytest.raises(LogUnsound):
        await keeper.seal()
    assert await column(database, "SELECT count(*) FROM audit_inbox") == [2]
    assert (await keeper.verify()).finding is not None


async def test_after_a_rotation_the_log_goes_on_under_the_new_key(
    audit: Audit, database: Database, keeper: LogKeeper, anchors: Anchors
) -> None:
    """While the old key is known; once the new one has sealed, the old one may be forgotten."""
    old, new = bytes(range(32)), bytes(32)
    await note(audit, database, 3)
    await keeper.seal()
    await note(audit, database, 3)
    with pytest.raises(LogUnsound):
        await LogKeeper(database, Keyring(new), anchors).seal()
    assert await LogKeeper(database, Keyring(new, [old]), anchors).seal() == 3
    assert await LogKeeper(database, Keyring(new), anchors).verify(anchors.all()) == Verdict(6, 2)


async def test_an_entry_that_contradicts_the_log_is_left_and_not_lost(
    audit: Audit, database: Database, keeper: LogKeeper, superuser: asyncpg.Connection
) -> None:
    """Somebody sends a sealed entry again with other words: it stays in the inbox, to be seen."""
    await note(audit, database, 1)
    await keeper.seal()
    await superuser.execute(SAY_AGAIN)
    async with database.transaction() as tx:
        await repository.clear(tx, [(await repository.sealed(tx, 1, 1))[0].entry.id])
    await note(audit, database, 2)
    assert await keeper.seal() == 2
    assert await column(database, "SELECT subject FROM audit_inbox") == ["another"]
    assert await column(database, "SELECT DISTINCT subject FROM audit_log") == ["oidc:school:kim"]


async def test_the_jobs_seal_and_prune(audit: Audit, database: Database, keeper: LogKeeper) -> None:
    """The handlers that the house has; a second run finds nothing to do."""
    handlers = audit_handlers(keeper)
    await note(audit, database, 12)
    for _ in range(2):
        await handlers[SealAudit](SealAudit())
        await handlers[PruneAudit](PruneAudit())
    assert await keeper.verify() == Verdict(12, 2)
    assert len(await request_ids(database)) == 12


def test_a_seal_covers_each_of_its_fields(keyring: Keyring) -> None:
    """No field of a seal can be changed without its mac being wrong."""
    seal = next_seal(None, [bytes(32)], datetime(2026, 11, 23, tzinfo=UTC), keyring)
    assert is_ours(seal, keyring)
    others: dict[str, Any] = {
        "number": 2,
        "first_seq": 2,
        "last_seq": 2,
        "count": 2,
        "head_before": b"x" * 32,
        "head": b"x" * 32,
        "seal_before": b"x" * 32,
        "sealed_before_at": seal.sealed_at,
        "sealed_at": datetime(2026, 11, 24, tzinfo=UTC),
        "mac": b"x" * 32,
    }
    for name, value in others.items():
        assert not is_ours(replace(seal, **{name: value}), keyring), name
