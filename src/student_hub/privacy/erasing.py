"""Erasure: a student's key and rows are destroyed, and a proof without a person in it is left."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from functools import partial
from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.ids import new_id
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.privacy import repository
from student_hub.privacy.errors import ProofRefused
from student_hub.privacy.messages import ForgetStudent
from student_hub.privacy.schemas import AtNode, Erasure, ErasurePage, Replayed
from student_hub.privacy.sealing import Seals
from student_hub.students.errors import StudentNotFound
from student_hub.students.schemas import Removed
from student_hub.students.service import Students

MOST_LISTED = 200
ALL_HAS_COME = timedelta(minutes=15)
"""Longer than a job's lease, and than whole profiles of an earlier generation are kept."""


class Erasing:
    """Erases students for good, and again after a backup has brought them back."""

    def __init__(
        self,
        db: Database,
        students: Students,
        audit: Audit,
        keyring: Keyring,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._seals = Seals(keyring)
        self._ledger = ledger
        self._clock = clock

    async def erase(self, caller: Caller, student_id: UUID, reason: str) -> Erasure:
        """The proof; StudentNotFound when there is none, or none whom the caller may see.

        Key, rows and proof in one transaction, with the job that has the nodes and caches forget.
        """
        caller.require(Scope.READ)
        caller.require(Scope.WRITE)
        with self._audit.refusals(caller, Action.STUDENT_ERASE, [student_id]):
            work = partial(self._erase, caller=caller, student_id=student_id, reason=reason)
            return await transact(self._db, work, caller)

    async def page(
        self, caller: Caller, *, cursor: UUID | None = None, limit: int = 50
    ) -> ErasurePage:
        """Proofs for administrators, the newest first."""
        caller.require(Scope.ADMIN)
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput.field("limit", f"is not between 1 and {MOST_LISTED}")
        async with self._db.transaction(caller) as tx:
            found = await repository.newest(tx, cursor, limit)
            proofs = [self._seals.shown(row) for row in found]
        return ErasurePage(erasures=proofs, next=proofs[-1].id if len(proofs) == limit else None)

    async def ledger(self) -> AsyncIterator[Erasure]:
        """Every proof, the oldest first: to be kept apart from the backups."""
        async with self._db.transaction(SYSTEM) as tx:
            async for row in repository.oldest_first(tx):
                yield self._seals.shown(row)

    async def replay(self, proofs: AsyncIterable[Erasure]) -> Replayed:
        """Erases again whoever of the proofs is back, as after the restore of a backup.

        The proofs come from `ledger`, before or after, and are kept here too. Who was registered
        after their erasure stays. ProofRefused for one that was not sealed here: nobody is erased
        by a forged file.
        """
        again = gone = 0
        async for proof in proofs:
            if not self._seals.is_genuine(proof):
                raise ProofRefused(erasure_id=str(proof.id))
            back = await transact(self._db, partial(self._replay, proof=proof), SYSTEM)
            again, gone = again + back, gone + (not back)
        return Replayed(erased_again=again, still_gone=gone)

    async def forgotten(self, tx: Transaction, job: ForgetStudent, node: str, at: AtNode) -> None:
        """Notes in the proof what a node said, and that the caches are empty.

        What was under way when the student went may have come there since: it is asked for again.
        """
        await repository.settle(tx, job.erasure_id, node, at.value, self._clock())
        if not job.again:
            later = job.model_copy(update={"again": True})
            await self._ledger.put(tx, later, after=ALL_HAS_COME)

    async def _erase(
        self, tx: Transaction, caller: Caller, student_id: UUID, reason: str
    ) -> Erasure:
        await self._students.hold(tx, caller, student_id)
        removed = await self._students.remove(tx, student_id)
        proof = self._proof(caller, student_id, reason, removed)
        await repository.add(tx, _row(proof))
        await self._forget(tx, proof, removed)
        await self._audit.note(tx, caller, Action.STUDENT_ERASE, [student_id], reason=reason)
        return proof

    async def _replay(self, tx: Transaction, proof: Erasure) -> bool:
        await repository.add(tx, _row(proof))
        try:
            student = await self._students.hold(tx, SYSTEM, proof.student_id)
        except StudentNotFound:
            return False
        if student.created_at > proof.erased_at:
            return False  # somebody has come to the school again, under the id that was theirs
        removed = await self._students.remove(tx, proof.student_id)
        await self._forget(tx, proof, removed)
        about, reason = [proof.student_id], f"replay of {proof.id}"
        await self._audit.note(tx, SYSTEM, Action.STUDENT_ERASE, about, reason=reason)
        return True

    async def _forget(self, tx: Transaction, proof: Erasure, removed: Removed) -> None:
        job = ForgetStudent(
            erasure_id=proof.id, student_id=proof.student_id, generation=removed.generation
        )
        await self._ledger.put(tx, job)

    def _proof(self, caller: Caller, student_id: UUID, reason: str, removed: Removed) -> Erasure:
        now = self._clock()
        bare = Erasure(
            id=new_id(now),
            student_id=student_id,
            erased_at=now,
            by=caller.subject,
            reason=reason,
            counts=removed.rows,
            key_destroyed=removed.key_id,
            seal="",
            seal_key_id="",
            genuine=False,
            nodes={},
            cache_emptied_at=None,
        )
        return self._seals.sealed(bare)


def _row(proof: Erasure) -> dict[str, object]:
    values = proof.model_dump(exclude={"genuine"})
    return {**values, "seal": bytes.fromhex(proof.seal)}
