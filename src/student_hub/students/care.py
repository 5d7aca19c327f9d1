"""Care notes that lie in clear, from before v0009: sealed at start-up, and once a day."""

from uuid import UUID

import orjson
import structlog
from sqlalchemy import Row, select, text, update

from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.security.sealing import SealBroken
from student_hub.students.models import StudentKeyRow, StudentRow
from student_hub.students.repository import details_of
from student_hub.students.schemas import Metadata
from student_hub.students.vault import Vault, WrappedKey, sealed

BATCH = 500
IN_CLEAR = text("metadata ? 'special_needs'")
log = structlog.get_logger()


class CareNotes:
    """Finds care notes in clear and seals them; every batch is whole in itself."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._vault = Vault(keyring)

    async def seal_clear(self) -> int:
        """How many students' notes were sealed; those that somebody is changing are left."""
        done = 0
        while True:
            async with self._db.transaction(SYSTEM) as tx:
                sealed_now = await self._batch(tx)
            done += sealed_now
            if sealed_now < BATCH:
                return done

    async def _batch(self, tx: Transaction) -> int:
        columns = (StudentRow.id, StudentRow.details, StudentKeyRow.wrapped, StudentKeyRow.key_id)
        query = select(*columns).join(StudentKeyRow, StudentKeyRow.student_id == StudentRow.id)
        some = query.where(IN_CLEAR).order_by(StudentRow.id).limit(BATCH)
        found = await tx.session.execute(some.with_for_update(of=StudentRow, skip_locked=True))
        return sum([await self._seal(tx, row) for row in found.all()])

    async def _seal(self, tx: Transaction, row: Row[UUID, dict[str, object], bytes, str]) -> bool:
        metadata = Metadata.model_validate(row.details)
        try:
            key = self._vault.unwrap(row.id, WrappedKey(row.wrapped, row.key_id))
        except SealBroken:
            log.error("student_key_broken", student_id=str(row.id), key_id=row.key_id)  # noqa: TRY400 (the place is all there is to say)
            return False
        notes = orjson.dumps(metadata.special_needs).decode()
        # The student is as they were: neither their date nor their generation moves.
        statement = update(StudentRow).where(StudentRow.id == row.id)
        care = sealed(key, notes, "care", row.id)
        await tx.session.execute(statement.values(care=care, details=details_of(metadata)))
        return True
