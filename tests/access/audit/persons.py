"""Who does things in the tests of the audit log, and how to read what was written of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text

from student_hub.access.audit.chain import Seal, SealedEntry, hashes, next_seal
from student_hub.access.audit.entries import Deed, Entry, entries_of
from student_hub.access.audit.schemas import Action
from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import Caller, Door, Origin, Role, Scope
from student_hub.platform.security.keyring import Keyring

STUDENT = UUID("550e8400-e29b-41d4-a716-446655440000")
NOW = datetime(2026, 11, 23, 3, 4, 5, 678_901, tzinfo=UTC)
ADMIN = Caller("key:administrator", frozenset({Scope.ADMIN}), Role.ADMIN, origin=Origin(Door.ADMIN))


def teacher(subject: str = "oidc:school:kim", request_id: str | None = None) -> Caller:
    """Somebody who reads, from an address."""
    origin = Origin(Door.MCP, "192.0.2.7", request_id)
    return Caller(subject, frozenset({Scope.READ}), Role.TEACHER, frozenset(), "token:1", origin)


def entry(at: datetime = NOW, deed: Deed | None = None, caller: Caller | None = None) -> Entry:
    """One entry, as it is made of a caller and a deed."""
    done = deed or Deed(Action.PROFILE_READ, [STUDENT])
    return next(entries_of(at, caller or teacher(request_id=uuid4().hex), done))


def a_log(
    sizes: Sequence[int], keyring: Keyring, at: datetime = NOW
) -> tuple[list[Seal], list[SealedEntry]]:
    """A log of batches of these sizes, in memory."""
    seals: list[Seal] = []
    log: list[SealedEntry] = []
    for size in sizes:
        entries = [entry(at) for _ in range(size)]
        before = seals[-1] if seals else None
        chained = hashes(before.head if before else bytes(32), entries)
        seal = next_seal(before, chained, at, keyring)
        numbers = range(seal.first_seq, seal.last_seq + 1)
        log += [SealedEntry(*each) for each in zip(numbers, entries, chained, strict=True)]
        seals.append(seal)
    return seals, log


def files(folder: Path) -> dict[str, bytes]:
    """What is in the folder's files, by their names."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def bar(folder: Path) -> None:
    """Puts a file in the place of the folder, which is empty."""
    folder.rmdir()
    folder.write_text("in the way")


def put(folder: Path, name: str, content: bytes) -> None:
    """Makes a file as a dead process would have left it."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


async def column(database: Database, sql: str, **values: object) -> list[object]:
    """The first column of what the query answers with."""
    async with database.transaction() as tx:
        return list(await tx.session.scalars(text(sql), values))


async def request_ids(database: Database) -> list[object]:
    """Of every entry that has arrived, sealed or not."""
    return await column(
        database,
        "SELECT request_id FROM audit_log UNION ALL SELECT request_id FROM audit_inbox "
        "WHERE id NOT IN (SELECT id FROM audit_log) ORDER BY 1",
    )
