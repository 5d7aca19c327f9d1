"""What can be done with students."""

from collections.abc import AsyncIterable, Iterable, Sequence
from functools import partial
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.policy import may_see
from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.students.arriving import batches, bundles, newcomer
from student_hub.students.errors import StudentExists, StudentNotFound
from student_hub.students.pages import position_of
from student_hub.students.permitting import not_open, permission
from student_hub.students.repository import StudentRepository
from student_hub.students.schemas import (
    Fault,
    Glance,
    Put,
    Removed,
    Row,
    State,
    Student,
    StudentFilter,
    StudentIn,
    StudentPage,
    StudentPatch,
    StudentReceipt,
)
from student_hub.students.shown import changes_of, shown
from student_hub.students.vault import Vault

MOST_LISTED = 200
TOUCHED = "student_touched"
GRANTS_CHANGED = "grant_changed"
EVERYONE = StudentFilter()
TAKEN = Fault("student_number", StudentExists().message)


class Students:
    """The register of students: use cases take the caller, operations an open transaction.

    Students up to the grade `consent_up_to_grade` need a consent before anything is processed.
    """

    def __init__(
        self,
        db: Database,
        keyring: Keyring,
        clock: Clock,
        audit: Audit,
        listener: Listener | None = None,
        *,
        consent_up_to_grade: int = 0,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._glances = Remembered[Glance](listener, TOUCHED, viewers=GRANTS_CHANGED)
        self._rows = StudentRepository(Vault(keyring), consent_up_to_grade)
        self._permission = permission(consent_up_to_grade)

    async def create(self, caller: Caller, student: StudentIn) -> Student:
        """The student as stored; StudentExists when the id or the place in the class is taken."""
        caller.require(Scope.WRITE)
        new = newcomer(student, self._clock())

        async def work(tx: Transaction) -> Student:
            if not await self._rows.insert(tx, [new]):
                raise StudentExists
            await self.touch(tx, [new.id])
            await self._audit.note(tx, caller, Action.STUDENT_CREATE, [new.id])
            return shown(caller, new)

        return await transact(self._db, work, caller)

    async def read(self, caller: Caller, student_id: UUID) -> Student:
        """The student; StudentNotFound when there is none, or none for this caller."""
        caller.require(Scope.READ)
        with self._audit.refusals(caller, Action.STUDENT_READ, [student_id]):
            async with self._db.transaction(caller) as tx:
                student = _seen(caller, await self.require(tx, student_id))
        self._audit.saw(caller, Action.STUDENT_READ, [student_id])
        return shown(caller, student)

    async def update(self, caller: Caller, student_id: UUID, patch: StudentPatch) -> Student:
        """The student after the change; StudentNotFound, or StudentExists for a taken place."""
        caller.require(Scope.READ)
        caller.require(Scope.WRITE)

        async def work(tx: Transaction) -> Student:
            held = await self.hold(tx, caller, student_id)
            changes = changes_of(caller, held, patch, patch.model_fields_set)
            await self._audit.note(tx, caller, Action.STUDENT_UPDATE, [student_id])
            return shown(caller, await self._change(tx, held, changes))

        return await transact(self._db, work, caller)

    async def page(
        self,
        caller: Caller,
        wanted: StudentFilter = EVERYONE,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> StudentPage:
        """A page of at most 200 students who pass every given filter, in the order of their ids."""
        caller.require(Scope.READ)
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
        async with self._db.transaction(caller) as tx:
            found = await self._rows.page(tx, wanted, position_of(cursor), limit + 1)
        more = len(found) > limit
        seen = [shown(caller, student) for student in found[:limit] if may_see(caller, student)]
        self._audit.saw(caller, Action.STUDENT_LIST, [student.id for student in seen])
        return StudentPage(students=seen, next=str(found[limit - 1].id) if more else None)

    async def import_many(
        self, caller: Caller, rows: Iterable[object] | AsyncIterable[object]
    ) -> StudentReceipt:
        """Stores the good rows in batches and says of each other row (from 1) what ails it.

        A row whose id is known updates that student, or is unchanged; of a student whom the caller
        may not see it is refused. Each batch is a transaction of its own, so that rows of a
        broken-off import are safe to send again.
        """
        caller.require(Scope.WRITE)
        receipt = StudentReceipt()
        async for bundle in bundles(rows):
            receipt.add(
                await transact(self._db, partial(self.put_rows, caller=caller, rows=bundle), caller)
            )
        return receipt

    async def require(self, tx: Transaction, student_id: UUID) -> Student:
        """The student; StudentNotFound when there is none."""
        student = await self._rows.get(tx, student_id)
        if student is None:
            raise StudentNotFound
        return student

    async def glance(self, tx: Transaction, student_id: UUID) -> Glance:
        """The student and their generation in one query; StudentNotFound when there is none."""
        glance = await self._rows.glance(tx, student_id)
        if glance is None:
            raise StudentNotFound
        return glance

    async def recall(self, caller: Caller, student_id: UUID) -> Glance:
        """What `glance` says, from this process's memory where nothing has changed since.

        A change made elsewhere is heard within moments of its commit, or not trusted to be absent.
        For a caller who does not see everybody it is what PostgreSQL has shown to them.
        """

        async def load() -> Glance:
            glance = await self._rows.glance_at_once(self._db, caller, student_id)
            if glance is None:
                raise StudentNotFound
            return glance

        return await self._glances.read(str(student_id), load, _viewer(caller))

    def remembered(self, caller: Caller, student_id: UUID) -> Glance | None:
        """What `recall` would say at once; None when PostgreSQL would have to be asked."""
        return self._glances.get(str(student_id), _viewer(caller))

    async def existing(self, tx: Transaction, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are students; they stay so until the transaction ends."""
        return await self._rows.lock(tx, ids)

    async def ids_in(self, tx: Transaction, wanted: StudentFilter) -> list[UUID]:
        """The students who pass every given filter, in the order of their ids; those seen."""
        return await self._rows.ids_in(tx, wanted)

    async def hold(self, tx: Transaction, caller: Caller, student_id: UUID) -> Student:
        """The student, locked until the transaction ends; StudentNotFound also for one not seen."""
        held = await self._rows.to_change(tx, [student_id])
        return _seen(caller, held.get(student_id))

    async def see(self, tx: Transaction, caller: Caller, student_id: UUID) -> Student:
        """The student as the caller is shown them; StudentNotFound also for one not seen."""
        return shown(caller, _seen(caller, await self.require(tx, student_id)))

    async def not_open(self, tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, State]:
        """Those of the students whose data must not be processed, and why."""
        return await not_open(tx, self._permission, ids)

    async def remove(self, tx: Transaction, student_id: UUID) -> Removed:
        """Destroys the student's key and row, and by them all rows that hang on the student.

        The student must be held. Nobody but an erasure, which keeps a proof of it, does this.
        """
        removed = await self._rows.remove(tx, student_id)
        tx.after_commit(lambda: self._forget([student_id]))
        return removed

    async def touch(self, tx: Transaction, ids: Iterable[UUID]) -> None:
        """Gives the students a new generation: all that is cached about them is stale.

        Locks in the order of the ids, so that two batches never deadlock.
        """
        touched = list(ids)
        await self._rows.touch(tx, touched)
        tx.after_commit(lambda: self._forget(touched))

    async def stop_reports(self, tx: Transaction, student_id: UUID) -> None:
        """The family wants no more reports; StudentNotFound when the student is gone."""
        held = await self.hold(tx, SYSTEM, student_id)
        wishes = held.metadata.parent_preferences
        none = wishes.model_copy(update={"report_frequency": "none"})
        metadata = held.metadata.model_copy(update={"parent_preferences": none})
        await self._change(tx, held, {"metadata": metadata})

    async def can_be_opened(self) -> bool:
        """Whether every student is sealed with a key that the hub has."""
        async with self._db.transaction(SYSTEM) as tx:
            return await self._rows.can_be_opened(tx)

    async def put_rows(
        self, tx: Transaction, caller: Caller, rows: Iterable[Row]
    ) -> StudentReceipt:
        """Checks and stores the rows as `import_many` does."""
        receipt = StudentReceipt()
        for batch in batches(rows, receipt):
            puts = await self.put_many(tx, caller, [arrived.student for arrived in batch])
            for arrived, put in zip(batch, puts, strict=True):
                if put is Put.REFUSED:
                    receipt.refuse(arrived.number, TAKEN)
                else:
                    receipt.count(put)
        return receipt

    async def put_many(
        self, tx: Transaction, caller: Caller, students: Sequence[StudentIn]
    ) -> list[Put]:
        """What became of each: created, updated, unchanged, or refused because its place is taken.

        A student whom the caller may not see is a taken place: they learn and change nothing.
        No id may be in there twice; at most a thousand or so at a time.
        """
        now = [newcomer(student, self._clock()) for student in students]
        held = await self._rows.to_change(tx, [student.id for student in now])
        new = [student for student in now if student.id not in held]
        created = await self._rows.insert(tx, new) if new else set()
        if late := {student.id for student in new} - created:
            # Refused, or made by another import since we looked.
            held |= await self._rows.to_change(tx, late)
        puts = [
            await self._put_again(tx, caller, held[student.id], given)
            if student.id in held
            else Put.CREATED
            if student.id in created
            else Put.REFUSED
            for student, given in zip(now, students, strict=True)
        ]
        changed = {
            student.id
            for student, put in zip(now, puts, strict=True)
            if put in {Put.CREATED, Put.UPDATED}
        }
        await self.touch(tx, changed)
        if changed:
            await self._audit.note(tx, caller, Action.STUDENT_IMPORT, sorted(changed))
        return puts

    async def _forget(self, ids: Iterable[UUID]) -> None:
        for student_id in ids:
            self._glances.forget(str(student_id))

    async def _put_again(
        self, tx: Transaction, caller: Caller, held: Student, given: StudentIn
    ) -> Put:
        if not may_see(caller, held):
            return Put.REFUSED
        changes = changes_of(caller, held, given, StudentPatch.model_fields)
        try:
            changed = await self._change(tx, held, changes, touch=False)
        except StudentExists:
            return Put.REFUSED
        return Put.UNCHANGED if changed is held else Put.UPDATED

    async def _change(
        self, tx: Transaction, held: Student, changes: dict[str, object], *, touch: bool = True
    ) -> Student:
        changed = held.model_copy(update=changes)
        if changed == held:
            return held
        changed = changed.model_copy(update={"updated_at": self._clock()})
        await self._rows.update(tx, changed)
        if touch:
            await self.touch(tx, [held.id])
        return changed


def _viewer(caller: Caller) -> str | None:
    return None if caller.sees_all else caller.subject


def _seen(caller: Caller, student: Student | None) -> Student:
    if student is None or not may_see(caller, student):
        raise StudentNotFound
    return student
