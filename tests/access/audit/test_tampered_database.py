"""Tampering with the real tables, by a superuser who has put every trigger out of action."""

import asyncpg
import pytest

from access.audit.persons import STUDENT, teacher
from access.audit.tampering import Log, seeded
from student_hub.access.audit import repository
from student_hub.access.audit.anchors import Anchors
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.verification import verify
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.security.keyring import Keyring

pytestmark = pytest.mark.requirement("audit-tampering")
ENTRIES = 120
EDITS = (
    "UPDATE audit_log SET subject = subject || 'x' WHERE seq = $1",
    "UPDATE audit_log SET role = role || 'x' WHERE seq = $1",
    "UPDATE audit_log SET credential = credential || 'x' WHERE seq = $1",
    "UPDATE audit_log SET door = door || 'x' WHERE seq = $1",
    "UPDATE audit_log SET address = address || 'x' WHERE seq = $1",
    "UPDATE audit_log SET request_id = request_id || 'x' WHERE seq = $1",
    "UPDATE audit_log SET action = action || 'x' WHERE seq = $1",
    "UPDATE audit_log SET outcome = outcome || 'x' WHERE seq = $1",
    "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE seq = $1",
    "UPDATE audit_log SET student_ids = student_ids || gen_random_uuid() WHERE seq = $1",
    "UPDATE audit_log SET student_ids = '{}' WHERE seq = $1",
    "UPDATE audit_log SET reason = 'because' WHERE seq = $1",
    "UPDATE audit_log SET detail = '{\"n\": 1.5}' WHERE seq = $1",
    "UPDATE audit_log SET id = gen_random_uuid() WHERE seq = $1",
    "UPDATE audit_log SET hash = sha256(hash) WHERE seq = $1",
    "UPDATE audit_log SET seq = seq + 1000000 WHERE seq = $1",
    "UPDATE audit_log SET seq = -seq WHERE seq = $1",
    "DELETE FROM audit_log WHERE seq = $1",
    "DELETE FROM audit_log WHERE seq >= $1",
    "DELETE FROM audit_log WHERE seq <= $1",
    "UPDATE audit_log SET seq = (CASE WHEN seq = $1 THEN 1 ELSE $1 END) WHERE seq IN ($1, 1)",
    "UPDATE audit_seals SET mac = sha256(mac) WHERE $1 BETWEEN first_seq AND last_seq",
    "UPDATE audit_seals SET sealed_at = 'epoch' WHERE $1 BETWEEN first_seq AND last_seq",
    "DELETE FROM audit_seals WHERE $1 BETWEEN first_seq AND last_seq",
    "DELETE FROM audit_seals WHERE first_seq >= $1",
    """
    WITH cut AS (DELETE FROM audit_seals WHERE last_seq >= $1 RETURNING first_seq)
    DELETE FROM audit_log WHERE seq >= (SELECT min(first_seq) FROM cut)
    """,
    """
    WITH cut AS (DELETE FROM audit_seals WHERE first_seq <= $1 RETURNING last_seq)
    DELETE FROM audit_log WHERE seq <= (SELECT max(last_seq) FROM cut)
    """,
    """
    INSERT INTO audit_log SELECT (SELECT max(seq) + 1 FROM audit_log), hash, gen_random_uuid(), at,
        subject, role, credential, door, address, request_id, action, outcome, student_ids,
        reason, detail
    FROM audit_log WHERE seq = $1
    """,
    "WITH gone AS (DELETE FROM audit_seals WHERE $1 > 0) DELETE FROM audit_log",
)
FREE = """
    ALTER TABLE audit_log DISABLE TRIGGER ALL;
    ALTER TABLE audit_seals DISABLE TRIGGER ALL;
    ALTER TABLE audit_log DROP CONSTRAINT pk_audit_log;
    CREATE TABLE kept_log AS TABLE audit_log;
    CREATE TABLE kept_seals AS TABLE audit_seals;
"""
RESTORE = """
    TRUNCATE audit_log, audit_seals;
    INSERT INTO audit_log SELECT * FROM kept_log;
    INSERT INTO audit_seals SELECT * FROM kept_seals;
"""


@pytest.fixture
async def tamperer(
    audit: Audit, database: Database, keeper: LogKeeper, superuser: asyncpg.Connection
) -> asyncpg.Connection:
    """Free to change a log of twelve batches."""
    async with database.transaction() as tx:
        for number in range(ENTRIES):
            who = teacher(f"key:{number % 7}", f"request-{number}")
            await audit.note(tx, who, Action.STUDENT_UPDATE, [STUDENT], detail={"n": number})
    await keeper.seal()
    await superuser.execute(FREE)
    return superuser


async def test_every_tampering_with_the_tables_is_found(
    tamperer: asyncpg.Connection, keeper: LogKeeper, anchors: Anchors
) -> None:
    """Each of them, at two places of the log; put back, the log is whole again."""
    random, missed = seeded(10), []
    for statement in EDITS:
        for seq in random.sample(range(2, ENTRIES), 2):
            await tamperer.execute(statement, seq)
            if (await keeper.verify(anchors.all())).finding is None:
                missed.append((statement, seq))
            await tamperer.execute(RESTORE)
            assert (await keeper.verify(anchors.all())).finding is None
    assert missed == []


async def test_the_walk_over_the_tables_and_over_a_log_in_hand_agree(
    tamperer: asyncpg.Connection,
    database: Database,
    keeper: LogKeeper,
    keyring: Keyring,
    anchors: Anchors,
) -> None:
    """So that a thousand tamperings in memory say something of the tables."""
    for statement in EDITS:
        await tamperer.execute(statement, 57)
        async with database.transaction() as tx:
            seals = await repository.seals(tx, 0, 1_000)
            log = Log(seals, await repository.sealed(tx, -1_000, 10_000_000))
        kept = anchors.all()
        in_hand = verify(log.seals, log.entries, keyring, anchors=kept, now=utc_now())
        assert in_hand.finding is not None
        walked = (await keeper.verify(kept)).finding
        assert walked is not None
        if "-seq" not in statement:
            assert walked == in_hand.finding
        await tamperer.execute(RESTORE)
