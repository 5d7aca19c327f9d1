"""Students' keys and name indexes brought under the current master key, batch by batch."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.exc import IntegrityError

from student_hub.platform.db.database import Transaction
from student_hub.platform.security.sealing import SealBroken
from student_hub.students.models import StudentKeyRow, StudentRow
from student_hub.students.rotation_schemas import Rewrapped
from student_hub.students.vault import Vault, WrappedKey, opened

REWRAP = text(
    """
    WITH new AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:wrapped AS bytea[]),
            CAST(:indexes AS bytea[])) AS new (id, wrapped, name_index)
    ), keyed AS (
        UPDATE student_keys SET wrapped = new.wrapped, key_id = :key_id
        FROM new WHERE student_id = new.id
    )
    UPDATE students SET name_index = new.name_index FROM new WHERE students.id = new.id
    """
)
log = structlog.get_logger()


class Renewed(NamedTuple):
    """A student's key under the current master key, and the index of their name."""

    id: UUID
    wrapped: bytes
    name_index: bytes


class StudentKeys:
    """The rows of students and of their keys, as something that master keys hold."""

    name = "student_keys"

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def per_key(self, tx: Transaction) -> dict[str, int]:
        """How many students are under each master key."""
        query = select(StudentKeyRow.key_id, func.count()).group_by(StudentKeyRow.key_id)
        return {row[0]: row[1] for row in await tx.session.execute(query)}

    async def rewrap(
        self, tx: Transaction, after: UUID | None, most: int, *, patient: bool
    ) -> Rewrapped:
        """Brings at most so many students after that one under the current master key.

        Those whose seals are broken or whose name is taken in their class are named in the log:
        they stay under their old key.
        """
        query = self._others(patient=patient).order_by(StudentKeyRow.student_id).limit(most)
        if after is not None:
            query = query.where(StudentKeyRow.student_id > after)
        found = (await tx.session.execute(query)).all()
        moved = await self._store(tx, list(self._renewed(found)))
        return moved, found[-1].id if found else None

    def _others(self, *, patient: bool) -> Select[UUID, bytes, bytes, str]:
        columns = (StudentRow.id, StudentRow.name, StudentKeyRow.wrapped, StudentKeyRow.key_id)
        query = select(*columns).join(StudentKeyRow, StudentKeyRow.student_id == StudentRow.id)
        others = query.where(StudentKeyRow.key_id != self._vault.key_id)
        # Whoever changes a student locks their row first.
        return others.with_for_update(of=StudentRow, skip_locked=not patient)

    def _renewed(self, rows: Iterable[Row[UUID, bytes, bytes, str]]) -> Iterator[Renewed]:
        for row in rows:
            try:
                key = self._vault.unwrap(row.id, WrappedKey(row.wrapped, row.key_id))
                name = opened(key, row.name, "name", row.id) or ""
            except SealBroken:
                log.error("student_key_broken", student_id=str(row.id), key_id=row.key_id)  # noqa: TRY400 (the place is all there is to say)
                continue
            wrapped = self._vault.wrap(row.id, key).wrapped
            yield Renewed(row.id, wrapped, self._vault.name_index(name, self._vault.key_id))

    async def _store(self, tx: Transaction, renewed: list[Renewed]) -> int:
        if not renewed:
            return 0
        try:
            async with tx.session.begin_nested():
                await tx.session.execute(REWRAP, self._values(renewed))
        except IntegrityError:
            if len(renewed) == 1:
                log.error("student_name_taken", student_id=str(renewed[0].id))  # noqa: TRY400 (the error names people)
                return 0
            middle = len(renewed) // 2
            halves = (renewed[:middle], renewed[middle:])
            return sum([await self._store(tx, half) for half in halves])
        return len(renewed)

    def _values(self, renewed: list[Renewed]) -> dict[str, object]:
        return {
            "ids": [item.id for item in renewed],
            "wrapped": [item.wrapped for item in renewed],
            "indexes": [item.name_index for item in renewed],
            "key_id": self._vault.key_id,
        }
