"""No row of the log is changed: not by the hub, not by mistake of the owner, only by time."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from access.audit.persons import STUDENT, column, teacher
from student_hub.access.audit.anchors import Anchors
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.access.audit.verification import Flaw, Verdict
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database
from student_hub.platform.db.roles import HUB_ROLE
from student_hub.platform.security.keyring import Keyring

pytestmark = pytest.mark.requirement("audit-append-only")
TABLES = ("audit_inbox", "audit_log", "audit_seals")
CHANGES = (
    "UPDATE {} SET {}",
    "DELETE FROM {}",
    "TRUNCATE {}",
)
COLUMN = {
    "audit_inbox": "subject = 'x'",
    "audit_log": "subject = 'x'",
    "audit_seals": "count = 0",
}


def days_ago(days: float) -> Clock:
    return lambda: datetime.now(UTC) - timedelta(days=days)


@pytest.fixture
async def filled(audit: Audit, database: Database, keeper: LogKeeper) -> None:
    """Five entries, three of them sealed."""
    for count in (3, 2):
        async with database.transaction() as tx:
            for _ in range(count):
                await audit.note(tx, teacher(), Action.STUDENT_UPDATE, [STUDENT])
        if count == 3:
            await keeper.seal()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
async def test_the_hub_may_not_change_a_row(
    superuser: asyncpg.Connection, table: str, change: str
) -> None:
    """Its role has no right to: not even one that a trigger would have to refuse."""
    await superuser.execute(f"SET ROLE {HUB_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await superuser.execute(change.format(table, COLUMN[table]))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_the_owner_may_not_change_a_row_by_mistake(
    superuser: asyncpg.Connection, table: str, change: str, role: str
) -> None:
    """Refused by triggers, which hold for replication too."""
    await superuser.execute(f"SET session_replication_role = {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
        await superuser.execute(change.format(table, COLUMN[table]))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("table", ["audit_log", "audit_seals"])
async def test_nobody_who_poses_as_the_keeper_deletes_young_rows(
    superuser: asyncpg.Connection, table: str
) -> None:
    """What is younger than 365 days stays, even when the keeper's own sign is set."""
    await superuser.execute("SET hub.audit_keeper = 'on'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
        await superuser.execute(CHANGES[1].format(table))


@pytest.mark.usefixtures("filled")
async def test_the_inbox_lets_nothing_go_that_is_not_in_the_log(
    superuser: asyncpg.Connection, database: Database
) -> None:
    """The function that empties it leaves what is not sealed."""
    await superuser.execute(f"SET ROLE {HUB_ROLE}")
    await superuser.execute("SELECT audit_clear_inbox(array_agg(id)) FROM audit_inbox")
    assert await column(database, "SELECT count(*) FROM audit_inbox") == [2]


async def test_nobody_else_may_call_the_functions(superuser: asyncpg.Connection) -> None:
    """They run as the owner: the hub's role alone has them."""
    named = await superuser.fetch(
        "SELECT proname, array_agg(DISTINCT grantee::regrole::text) AS who FROM pg_proc, "
        "aclexplode(proacl) WHERE prosecdef AND proname LIKE 'audit%' "
        "AND grantee <> proowner GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in named] == [
        ("audit_clear_inbox", [HUB_ROLE]),
        ("audit_prune", [HUB_ROLE]),
    ]


async def test_only_batches_past_their_time_go_and_the_rest_stays_whole(
    database: Database, keyring: Keyring, anchors: Anchors
) -> None:
    """Whole batches, the oldest first; the deletion is noted; the last batch always stays."""
    for days in (800, 740, 731, 729, 400):
        await sealed_then(database, keyring, anchors, days)
    keeper = LogKeeper(database, keyring, anchors)
    assert await keeper.prune() == 9
    assert await keeper.prune() == 0
    assert await column(database, "SELECT min(seq) FROM audit_log") == [10]
    noted = "SELECT detail ->> 'entries' FROM audit_inbox WHERE action = 'audit.prune'"
    assert await column(database, noted) == ["9"]
    assert await keeper.verify(anchors.all()) == Verdict(6, 2)
    shorter = LogKeeper(database, keyring, anchors, kept_days=365)
    assert await shorter.prune() == 3
    assert await shorter.verify(anchors.all()) == Verdict(3, 1)
    finding = (await keeper.verify(anchors.all())).finding
    assert finding is not None
    assert finding.flaw is Flaw.MISSING


async def test_a_batch_with_one_young_entry_stays(
    database: Database, keyring: Keyring, anchors: Anchors
) -> None:
    """A clock that ran ahead must not cost an entry its time."""
    await sealed_then(database, keyring, anchors, 900)
    await sealed_then(database, keyring, anchors, 850, entries_days=10)
    for days in (800, 1):
        await sealed_then(database, keyring, anchors, days)
    assert await LogKeeper(database, keyring, anchors).prune() == 3
    assert await column(database, "SELECT min(seq) FROM audit_log") == [4]


@pytest.mark.parametrize("days", [364, 0, -1])
async def test_less_than_a_year_is_refused(
    database: Database, keyring: Keyring, anchors: Anchors, days: int
) -> None:
    """By the database itself, whatever the hub is told."""
    keeper = LogKeeper(database, keyring, anchors, kept_days=days)
    with pytest.raises(Exception, match="kept for 365 days or more"):
        await keeper.prune()


async def sealed_then(
    database: Database,
    keyring: Keyring,
    anchors: Anchors,
    days: float,
    entries_days: float | None = None,
) -> None:
    """Three entries, made and sealed so many days ago."""
    clock = days_ago(days if entries_days is None else entries_days)
    then = Audit(database, Spool(anchors.path.parent / "spool-then"), clock)
    async with database.transaction() as tx:
        for _ in range(3):
            await then.note(tx, teacher(), Action.STUDENT_UPDATE, [STUDENT])
    await LogKeeper(database, keyring, anchors, clock=days_ago(days)).seal()
