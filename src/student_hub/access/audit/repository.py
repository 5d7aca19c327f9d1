"""The audit log in PostgreSQL. Entries go in as JSON arrays: one statement, whatever the number."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, insert, literal, null, select, text, union_all
from sqlalchemy.exc import DBAPIError

from student_hub.access.audit.chain import Seal, SealedEntry
from student_hub.access.audit.entries import FIELDS, Entry, line_of
from student_hub.access.audit.models import AuditInboxRow, AuditLogRow, AuditSealRow
from student_hub.access.audit.schemas import AuditEntry, AuditFilter
from student_hub.platform.db.database import Database, Transaction, sqlstate_of
from student_hub.platform.ids import first_id

COLUMNS = ", ".join(FIELDS)
NOTE = f"""
    INSERT INTO audit_inbox ({COLUMNS})
    SELECT {COLUMNS} FROM json_to_recordset(CAST(CAST(:entries AS text) AS json)) AS arrived (
        id uuid, at timestamptz, subject text, role text, credential text, door text,
        address text, request_id text, action text, outcome text, student_ids uuid[],
        reason text, detail jsonb)
"""  # noqa: S608 (constants)
# A subquery for each row, not NOT EXISTS: PostgreSQL must never think of reading the whole log.
ARRIVE = f"""
    {NOTE} WHERE (SELECT seq FROM audit_log WHERE audit_log.id = arrived.id) IS NULL
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 (constants)
SEAL = text(
    f"""
    INSERT INTO audit_log (seq, hash, {COLUMNS})
    SELECT CAST(:before AS bigint) + place, hash, {COLUMNS} FROM audit_inbox JOIN unnest(
        CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) WITH ORDINALITY
        AS sealed (id, hash, place) USING (id)
    """  # noqa: S608 (constants)
)
CLEAR = text("SELECT audit_clear_inbox(CAST(:ids AS uuid[]))")
LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('audit_log'))")
PRUNE = text("SELECT audit_prune(:days)")
BARE = text(
    "SELECT min(seq) FROM audit_log "
    "WHERE seq > (SELECT coalesce(max(last_seq), 0) FROM audit_seals)"
)
NO_ENTRY = frozenset({"22", "23"})
"""PostgreSQL's classes of codes for values that are of no use to it, or break a rule."""
INBOX = [getattr(AuditInboxRow, name) for name in FIELDS]
LOG = [getattr(AuditLogRow, name) for name in FIELDS]
SEALED_AS = select(AuditLogRow.seq).where(AuditLogRow.id == AuditInboxRow.id).scalar_subquery()


async def note(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Puts new entries in the inbox."""
    await _insert(tx, NOTE, [line_of(entry) for entry in entries])


async def arrive(tx: Transaction, lines: Iterable[bytes]) -> None:
    """Puts the entries in the inbox, but those that have arrived before."""
    await _insert(tx, ARRIVE, lines)


async def _insert(tx: Transaction, sql: str, lines: Iterable[bytes]) -> None:
    entries = (b"[" + b",".join(lines) + b"]").decode()
    await tx.session.execute(text(sql), {"entries": entries})


async def arrive_or_refuse(db: Database, lines: Sequence[bytes]) -> list[bytes]:
    """The same in transactions of its own; the lines that the database takes for no entries."""
    try:
        async with db.transaction() as tx:
            await arrive(tx, lines)
    except DBAPIError as error:
        if (sqlstate_of(error) or "")[:2] not in NO_ENTRY:
            raise
        if len(lines) == 1:
            return list(lines)
        half = len(lines) // 2
        return [
            *await arrive_or_refuse(db, lines[:half]),
            *await arrive_or_refuse(db, lines[half:]),
        ]
    return []


async def waiting(tx: Transaction, most: int) -> list[Entry]:
    """The oldest entries that are not sealed."""
    query = select(*INBOX).where(SEALED_AS.is_(None)).order_by(AuditInboxRow.id).limit(most)
    return [_entry(row) for row in await tx.session.execute(query)]


async def lock(tx: Transaction) -> bool:
    """Whether this transaction is the one that may seal."""
    return bool(await tx.session.scalar(LOCK))


async def last_seal(tx: Transaction) -> Seal | None:
    query = select(AuditSealRow).order_by(AuditSealRow.number.desc()).limit(1)
    row = (await tx.session.scalars(query)).one_or_none()
    return None if row is None else _seal(row)


async def last_seq(tx: Transaction) -> int:
    """The highest number in the log; 0 when it is empty."""
    query = select(AuditLogRow.seq).order_by(AuditLogRow.seq.desc()).limit(1)
    return await tx.session.scalar(query) or 0


async def store(
    tx: Transaction, entries: Sequence[Entry], hashes: Sequence[bytes], seal: Seal
) -> None:
    """Moves the entries from the inbox to the log and closes them with the seal."""
    ids = [entry.id for entry in entries]
    before = seal.first_seq - 1
    await tx.session.execute(SEAL, {"ids": ids, "hashes": list(hashes), "before": before})
    await tx.session.execute(insert(AuditSealRow).values(asdict(seal)))
    await clear(tx, ids)


async def clear(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Takes those of the entries out of the inbox that are in the log, word for word."""
    await tx.session.execute(CLEAR, {"ids": list(ids)})


async def prune(tx: Transaction, days: int) -> int:
    """Drops some of the oldest sealed batches, if they are older than that; how many entries."""
    return int(await tx.session.scalar(PRUNE, {"days": days}) or 0)


async def seals(tx: Transaction, after: int, most: int) -> list[Seal]:
    """The seals after that number, ascending."""
    query = select(AuditSealRow).where(AuditSealRow.number > after)
    rows = await tx.session.scalars(query.order_by(AuditSealRow.number).limit(most))
    return [_seal(row) for row in rows]


async def sealed(tx: Transaction, first: int, last: int) -> list[SealedEntry]:
    """The entries of the log that have these numbers, ascending."""
    query = select(*LOG, AuditLogRow.seq, AuditLogRow.hash)
    query = query.where(AuditLogRow.seq.between(first, last)).order_by(AuditLogRow.seq)
    rows = await tx.session.execute(query)
    return [SealedEntry(row.seq, _entry(row), row.hash) for row in rows]


async def bare(tx: Transaction) -> int | None:
    """The lowest number behind the last seal."""
    found: int | None = await tx.session.scalar(BARE)
    return found


async def newest(
    tx: Transaction, wanted: AuditFilter, before: UUID | None, limit: int
) -> list[AuditEntry]:
    """The newest entries that pass the filters and are older than `before`, sealed or not."""
    log = select(*LOG, AuditLogRow.seq.label("seq"), literal(True).label("sealed"))
    inbox = select(*INBOX, null().label("seq"), literal(False).label("sealed")).where(
        SEALED_AS.is_(None)
    )
    both = union_all(
        _some(log, AuditLogRow, wanted, before, limit),
        _some(inbox, AuditInboxRow, wanted, before, limit),
    ).subquery()
    rows = await tx.session.execute(select(both).order_by(both.c.id.desc()).limit(limit))
    return [AuditEntry.model_validate(row._asdict()) for row in rows]


def _some(
    query: Select[Any],
    table: type[AuditLogRow | AuditInboxRow],
    wanted: AuditFilter,
    before: UUID | None,
    limit: int,
) -> Select[Any]:
    conditions = list(_conditions(table, wanted))
    if before is not None:
        conditions.append(table.id < before)
    return query.where(*conditions).order_by(table.id.desc()).limit(limit)


def _conditions(
    table: type[AuditLogRow | AuditInboxRow], wanted: AuditFilter
) -> Iterable[ColumnElement[bool]]:
    for name in ("subject", "action", "door", "outcome"):
        if (value := getattr(wanted, name)) is not None:
            yield getattr(table, name) == value
    if wanted.student_id is not None:
        yield table.student_ids.contains([wanted.student_id])
    if wanted.since is not None:
        yield table.at >= wanted.since
        yield table.id >= first_id(wanted.since)
    if wanted.until is not None:
        yield table.at < wanted.until
        yield table.id < first_id(wanted.until + timedelta(milliseconds=1))


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(*(getattr(row, name) for name in FIELDS))


def _seal(row: AuditSealRow) -> Seal:
    return Seal(**{name: getattr(row, name) for name in Seal.__dataclass_fields__})
