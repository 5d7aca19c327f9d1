"""How far each import has come, kept in the transaction of each batch."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from student_hub.history.errors import ImportUnreadable
from student_hub.history.importing.reports import ImportReport
from student_hub.history.models import ImportRow
from student_hub.platform.db.database import Transaction


class Checkpoint(NamedTuple):
    """The last line that was dealt with, and the report up to there."""

    line: int
    report: ImportReport


START = Checkpoint(0, ImportReport())


def fingerprint(source: Path, identity: str) -> bytes:
    """SHA-256 of the file and the way it is read; ImportUnreadable when there is no such file."""
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise ImportUnreadable(problem=error.strerror or "it cannot be opened") from error
    digest.update(identity.encode())
    return digest.digest()


async def resume(tx: Transaction, fingerprint: bytes) -> Checkpoint:
    """Where a broken-off import goes on; the start for a new one and for one that was finished."""
    query = select(ImportRow).where(ImportRow.fingerprint == fingerprint)
    row = (await tx.session.scalars(query)).one_or_none()
    if row is None or row.finished_at is not None:
        return START
    report = ImportReport.model_validate(row.report)
    return Checkpoint(row.line, report.model_copy(update={"resumed_at_line": row.line + 1}))


async def keep(
    tx: Transaction, fingerprint: bytes, checkpoint: Checkpoint, now: datetime, *, finished: bool
) -> None:
    values: dict[str, object] = {
        "line": checkpoint.line,
        "report": checkpoint.report.model_dump(mode="json"),
        "finished_at": now if finished else None,
    }
    row = insert(ImportRow).values(fingerprint=fingerprint, started_at=now, **values)
    changed = row.on_conflict_do_update(index_elements=["fingerprint"], set_=values)
    await tx.session.execute(changed)
