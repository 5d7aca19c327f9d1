"""Export: everything that is held of a student, in one JSON document."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

import orjson
from pydantic import BaseModel

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.service import Access
from student_hub.history.service import History
from student_hub.interventions.service import Interventions
from student_hub.notifications.service import Notifications
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.security.caller import SYSTEM, Caller, Role, Scope
from student_hub.privacy import repository
from student_hub.privacy.errors import ExportRefused
from student_hub.privacy.schemas import EarlierErasure
from student_hub.privacy.spooling import Aside
from student_hub.students.schemas import Consent, Processing
from student_hub.students.service import Students

ALL_OF_THEMSELVES = frozenset({Role.STUDENT, Role.PARENT})
"""Roles with a right of access, to whom a grant names the student: never a whole class."""


class Permissions(Protocol):
    """What the students' room knows of consents and of the stop of processing."""

    async def processing_of(self, tx: Transaction, student_id: UUID) -> Processing: ...

    async def all_of(self, tx: Transaction, student_id: UUID) -> list[Consent]: ...


class Planned(Protocol):
    """What the schedules' room has planned for a student."""

    async def of_student(self, tx: Transaction, student_id: UUID) -> Sequence[BaseModel]: ...


class Exporting:
    """Writes an export aside before it leaves, so that a slow reader holds nothing in the database.

    All of it is read in one snapshot: it is what was there at one moment, and nobody has to wait.
    """

    def __init__(
        self,
        db: Database,
        students: Students,
        consents: Permissions,
        history: History,
        access: Access,
        audit: Audit,
        clock: Clock,
        *,
        notifications: Notifications,
        schedules: Planned | None = None,
        interventions: Interventions | None = None,
    ) -> None:
        self._db = db
        self._students = students
        self._consents = consents
        self._history = history
        self._access = access
        self._audit = audit
        self._clock = clock
        self._schedules = schedules
        self._interventions = interventions
        self._notifications = notifications

    async def export(self, caller: Caller, student_id: UUID, reason: str) -> AsyncIterator[bytes]:
        """The document in pieces; the audit log has it, with its reason, before the first one.

        ExportRefused for whoever is neither administrator, student nor guardian; StudentNotFound
        for one who does not exist or whom the caller may not see.
        """
        aside = Aside()
        try:
            with self._audit.refusals(caller, Action.STUDENT_EXPORT, [student_id]):
                await self._require_right(caller, student_id)
                parts = await self._around(student_id)
                async with self._db.transaction(caller, snapshot=True) as tx:
                    await self._write(tx, caller, student_id, parts, aside)
                    about, action = [student_id], Action.STUDENT_EXPORT
                    await self._audit.note(tx, caller, action, about, reason=reason)
        except BaseException:
            aside.close()
            raise
        return aside.read()

    async def _require_right(self, caller: Caller, student_id: UUID) -> None:
        caller.require(Scope.READ)
        async with self._db.transaction(caller) as tx:
            await self._students.see(tx, caller, student_id)
        named = caller.reach is not None and f"student:{student_id}" in caller.reach
        if not (caller.role is Role.ADMIN or (caller.role in ALL_OF_THEMSELVES and named)):
            raise ExportRefused

    async def _around(self, student_id: UUID) -> dict[str, Any]:
        """Who can see them, whether the id was erased before, and what was told to whom."""
        async with self._db.transaction(SYSTEM) as tx:
            student = await self._students.require(tx, student_id)
            viewers = await self._access.viewers(tx, student)
            proofs = await repository.of_student(tx, student_id)
            told = await self._notifications.of_student(tx, student_id)
        erased = [EarlierErasure.model_validate(row, from_attributes=True) for row in proofs]
        return {
            "seen_by": _listed(viewers),
            "earlier_erasures": _listed(erased),
            "notifications": _listed(told),
        }

    async def _write(
        self,
        tx: Transaction,
        caller: Caller,
        student_id: UUID,
        around: dict[str, Any],
        aside: Aside,
    ) -> None:
        student = await self._students.see(tx, caller, student_id)
        parts: dict[str, Any] = {
            "exported_at": self._clock(),
            "student": _plain(student),
            "processing": _plain(await self._consents.processing_of(tx, student_id)),
            "consents": _listed(await self._consents.all_of(tx, student_id)),
            **around,
        }
        if self._schedules is not None:
            planned = await self._schedules.of_student(tx, student_id)
            parts["scheduled_tasks"] = _listed(planned)
        if self._interventions is not None:
            plans = await self._interventions.of_student(tx, student_id)
            parts["interventions"] = _listed(plans)
            parts["abilities"] = _listed(await self._interventions.abilities_of(tx, student_id))
        aside.write(orjson.dumps(parts)[:-1])
        await _write_list(aside, "voided_events", self._history.voided_of(tx, student_id))
        await _write_list(aside, "history", self._history.all_of(tx, student_id))
        await _write_list(aside, "accesses", self._accesses(tx, student_id))
        aside.write(b"}")

    async def _accesses(
        self, tx: Transaction, student_id: UUID
    ) -> AsyncIterator[Sequence[BaseModel]]:
        cursor, more = None, True
        while more:
            page = await self._audit.accesses(tx, student_id, cursor=cursor, limit=200)
            yield page.accesses
            cursor, more = page.next, page.next is not None


async def _write_list(aside: Aside, name: str, pages: AsyncIterator[Sequence[BaseModel]]) -> None:
    aside.write(b',"%s":[' % name.encode())
    first = True
    async for page in pages:
        if page:
            aside.write((b"" if first else b",") + b",".join(_encoded(page)))
            first = False
    aside.write(b"]")


def _encoded(models: Iterable[BaseModel]) -> Iterable[bytes]:
    return (model.model_dump_json().encode() for model in models)


def _listed(models: Iterable[BaseModel]) -> list[dict[str, Any]]:
    return [_plain(model) for model in models]


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")
