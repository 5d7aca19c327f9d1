"""What can be done with students."""

from collections.abc import AsyncIterable, Iterable, Sequence
from functools import partial
from uuid import UUID, uuid4

from student_hub.access.policy import may_see
from student_hub.platform.cache.remembered import Remembered
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.db.listening import Listener
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import Caller, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.students.arriving import batches, bundles
from student_hub.students.errors import StudentExists, StudentNotFound
from student_hub.students.repository import StudentRepository
from student_hub.students.schemas import (
    Fault,
    Glance,
    Put,
    Row,
    Student,
    StudentFilter,
    StudentIn,
    StudentPage,
    StudentPatch,
    StudentReceipt,
)
from student_hub.students.vault import Vault

MOST_LISTED = 200
TOUCHED = "student_touched"
EVERYONE = StudentFilter()
TAKEN = Fault("student_number", StudentExists().message)


class Students:
    """The register of students: use cases take the caller, operations an open transaction."""

    def __init__(
        self, db: Database, keyring: Keyring, clock: Clock, listener: Listener | None = None
    ) -> None:
        self._db = db
        self._clock = clock
        self._glances = Remembered[Glance](listener, TOUCHED)
        self._rows = StudentRepository(Vault(keyring))

    async def create(self, caller: Caller, student: StudentIn) -> Student:
        """The student as stored; StudentExists when the id or the place in the class is taken."""
        caller.require(Scope.WRITE)
        new = self._new(student)

        async def work(tx: Transaction) -> Student:
            if not await self._rows.insert(tx, [new]):
                raise StudentExists
            await self.touch(tx, [new.id])
            return new

        return await transact(self._db, work)

    async def read(self, caller: Caller, student_id: UUID) -> Student:
        """The student; StudentNotFound when there is none, or none for this caller."""
        caller.require(Scope.READ)
        async with self._db.transaction() as tx:
            student = await self.require(tx, student_id)
        return _seen(caller, student)

    async def update(self, caller: Caller, student_id: UUID, patch: StudentPatch) -> Student:
        """The student after the change; StudentNotFound, or StudentExists for a taken place."""
        caller.require(Scope.READ)
        caller.require(Scope.WRITE)
        changes = {name: getattr(patch, name) for name in patch.model_fields_set}

        async def work(tx: Transaction) -> Student:
            held = await self._rows.to_change(tx, [student_id])
            return await self._change(tx, _seen(caller, held.get(student_id)), changes)

        return await transact(self._db, work)

    async def delete(self, caller: Caller, student_id: UUID) -> None:
        """Takes the student away with their key and their history; or StudentNotFound."""
        caller.require(Scope.READ)
        caller.require(Scope.WRITE)

        async def work(tx: Transaction) -> None:
            held = await self._rows.to_change(tx, [student_id])
            _seen(caller, held.get(student_id))
            await self._rows.delete(tx, student_id)
            tx.after_commit(lambda: self._forget([student_id]))

        await transact(self._db, work)

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
        async with self._db.transaction() as tx:
            found = await self._rows.page(tx, wanted, _position(cursor), limit + 1)
        more = len(found) > limit
        shown = [student for student in found[:limit] if may_see(caller, student)]
        return StudentPage(students=shown, next=str(found[limit - 1].id) if more else None)

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
                await transact(self._db, partial(self.put_rows, caller=caller, rows=bundle))
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

    async def recall(self, student_id: UUID) -> Glance:
        """What `glance` says, from this process's memory where nothing has changed since.

        A change made elsewhere is heard within moments of its commit, or not trusted to be absent.
        """

        async def load() -> Glance:
            async with self._db.transaction() as tx:
                return await self.glance(tx, student_id)

        return await self._glances.read(str(student_id), load)

    async def existing(self, tx: Transaction, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are students; they stay so until the transaction ends."""
        return await self._rows.lock(tx, ids)

    async def touch(self, tx: Transaction, ids: Iterable[UUID]) -> None:
        """Gives the students a new generation: all that is cached about them is stale.

        Locks in the order of the ids, so that two batches never deadlock.
        """
        touched = list(ids)
        await self._rows.touch(tx, touched)
        tx.after_commit(lambda: self._forget(touched))

    async def can_be_opened(self) -> bool:
        """Whether every student is sealed with the key that the hub has."""
        async with self._db.transaction() as tx:
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
        now = [self._new(student) for student in students]
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
        return puts

    async def _forget(self, ids: Iterable[UUID]) -> None:
        for student_id in ids:
            self._glances.forget(str(student_id))

    async def _put_again(
        self, tx: Transaction, caller: Caller, held: Student, given: StudentIn
    ) -> Put:
        if not may_see(caller, held):
            return Put.REFUSED
        changes = {name: getattr(given, name) for name in StudentPatch.model_fields}
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

    def _new(self, student: StudentIn) -> Student:
        now = self._clock()
        fields = {name: getattr(student, name) for name in StudentPatch.model_fields}
        return Student.model_construct(
            id=student.id or uuid4(), created_at=now, updated_at=now, **fields
        )


def _seen(caller: Caller, student: Student | None) -> Student:
    if student is None or not may_see(caller, student):
        raise StudentNotFound
    return student


def _position(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidInput.field("cursor", "is not one that a page gave") from error
