"""From the spool into the database: once, whoever dies when, and whatever the lines are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from access.audit.persons import STUDENT, column, entry, files, put, request_ids, teacher
from doorway import NOWHERE
from student_hub.access.audit.drainer import Drainer
from student_hub.access.audit.entries import line_of
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import UNREADABLE, Spool
from student_hub.platform.db.database import Database, DatabaseAway

pytestmark = pytest.mark.requirement("audit-reads")


def saw(audit: Audit, *ids: str) -> None:
    for request_id in ids:
        audit.saw(teacher(request_id=request_id), Action.PROFILE_READ, [STUDENT])


async def test_reads_come_into_the_database(audit: Audit, database: Database) -> None:
    """Each once; then the spool is empty."""
    saw(audit, "a", "b", "c")
    assert await audit.drain() == 3
    assert await audit.drain() == 0
    assert await request_ids(database) == ["a", "b", "c"]
    assert await column(database, "SELECT DISTINCT student_ids[1] FROM audit_inbox") == [STUDENT]


async def test_a_started_audit_drains_by_itself(
    audit: Audit, database: Database, spool_folder: Path
) -> None:
    """What a dead process left, and what is noted later, up to the very end of the process."""
    saw(Audit(database, dead := Spool(spool_folder)), "left")
    dead.close()
    await audit.start()
    saw(audit, "mine")
    await audit.close()
    assert await request_ids(database) == ["left", "mine"]
    assert files(spool_folder) == {}


async def test_lines_that_come_again_are_stored_once(
    audit: Audit, database: Database, keeper: LogKeeper, spool_folder: Path
) -> None:
    """In the inbox or sealed meanwhile: a process died between the commit and the deletion."""
    saw(audit, "a", "b")
    (again,) = files(spool_folder).values()
    sealed = []
    for _ in range(3):
        await audit.drain()
        put(spool_folder, "9-again.ndjson", again)
        await audit.drain()
        sealed.append(await keeper.seal())
        put(spool_folder, "9-again.ndjson", again)
    assert sealed == [2, 0, 0]
    assert await request_ids(database) == ["a", "b"]
    assert await column(database, "SELECT count(*) FROM audit_inbox") == [0]


async def test_while_the_database_is_away_reads_are_kept(
    database: Database, spool_folder: Path
) -> None:
    """In two files at most, however long it lasts; and then they are carried in their order."""
    cut_off = Audit(Database(NOWHERE), Spool(spool_folder))
    for name in ("a", "b", "c"):
        saw(cut_off, name)
        with pytest.raises(DatabaseAway):
            await cut_off.drain()
    assert len(files(spool_folder)) == 2
    await cut_off.close()
    back = Audit(database, Spool(spool_folder))
    assert await back.drain() == 3
    await back.close()
    assert await request_ids(database) == ["a", "b", "c"]


async def test_what_is_no_entry_costs_no_other_line(
    audit: Audit, database: Database, spool_folder: Path
) -> None:
    """Cut off, damaged, of a wrong shape, or with what PostgreSQL cannot keep: set aside."""
    good = [line_of(entry(caller=teacher(request_id=str(number)))) for number in range(5)]
    bad = [b"{", b"[]\n", b'{"id":1}\n', good[0].replace(b'"at":"2026', b'"at":"9.9.', 1)]
    bad += [good[1].replace(b'"id":"', b'"id":"no-'), good[2].replace(b"oidc", b"\\u0000")]
    bad = [line.strip() + b"\n" for line in bad]
    mixed = good[:2] + bad[:3] + good[2:4] + bad[3:] + good[4:]
    put(spool_folder, "1-left.ndjson", b"".join(mixed) + good[0][:50])
    await audit.drain()
    assert await request_ids(database) == ["0", "1", "2", "3", "4"]
    kept = files(spool_folder)[UNREADABLE].splitlines()
    assert sorted(kept) == sorted([*(line.strip() for line in bad), good[0][:50]])


async def test_a_broken_off_round_goes_on_where_it_was(spool_folder: Path) -> None:
    """A long segment is not carried from its start again because one piece of it failed."""
    stored: list[int] = []

    async def store(lines: Sequence[bytes]) -> None:
        if len(stored) == 2:
            stored.append(0)
            raise DatabaseAway
        stored.append(len(lines))

    spool = Spool(spool_folder)
    for number in range(2_000):
        spool.append(b"%0499d\n" % number)
    drainer = Drainer(spool, store)
    with pytest.raises(DatabaseAway):
        await drainer.round()
    assert await drainer.round() == 2_000 - sum(stored[:2])
    assert sum(stored) == 2_000
    await drainer.close()


@pytest.mark.requirement("audit-writes")
async def test_a_note_and_what_it_is_about_are_stored_together(
    audit: Audit, database: Database
) -> None:
    """Committed both; undone both."""
    async with database.transaction() as tx:
        await audit.note(tx, teacher(request_id="kept"), Action.STUDENT_UPDATE, [STUDENT])
    with pytest.raises(RuntimeError, match="undone"):
        await undone(audit, database)
    assert await request_ids(database) == ["kept"]


async def undone(audit: Audit, database: Database) -> None:
    async with database.transaction() as tx:
        await audit.note(tx, teacher(request_id="undone"), Action.STUDENT_ERASE, [STUDENT])
        raise RuntimeError("undone")
