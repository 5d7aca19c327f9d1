"""The rotation of the master key: while the hub runs, in batches, and safe to break off anywhere.

Every process must know the new key before any process makes it the current one, as each opens
what another has sealed meanwhile (docs/adr/0019). Then `start`; the old key may be dropped when
the status has no row left under it.
"""

import time
from collections.abc import Callable, Sequence

import structlog

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.platform.clock import Clock
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.platform.security.keyring import Keyring
from student_hub.students.errors import KeyNotCurrent, RotationStuck
from student_hub.students.messages import RotateKeys
from student_hub.students.rotation_schemas import Holder, MasterKey, RotationStatus

BATCH = 200
SLICE_S = 15.0
"""A job ends long before its lease does; the rest is the next one's."""
log = structlog.get_logger()


class Rotation:
    """Brings what the holders hold under the current master key, one holder after another."""

    def __init__(
        self,
        db: Database,
        keyring: Keyring,
        ledger: Ledger,
        clock: Clock,
        audit: Audit,
        holders: Sequence[Holder],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._keyring = keyring
        self._ledger = ledger
        self._clock = clock
        self._audit = audit
        self._holders = {holder.name: holder for holder in holders}
        self._monotonic = monotonic

    async def status(self, caller: Caller) -> RotationStatus:
        """How many rows each master key has, known to this hub or not."""
        caller.require(Scope.ADMIN)
        async with self._db.transaction(caller) as tx:
            return await self._status(tx)

    async def start(self, caller: Caller) -> RotationStatus:
        """The status; a job brings what is left under the current key. Safe to repeat."""
        caller.require(Scope.ADMIN)
        job = RotateKeys(to=self._keyring.key_id)
        minute = f"{self._clock():%Y-%m-%dT%H:%M}"
        async with self._db.transaction(caller) as tx:
            found = await self._status(tx)
            if found.left:
                await self._ledger.put(tx, job, unique_key=f"{job.kind()}:{job.to}:{minute}")
            await self._audit.note(tx, caller, Action.MASTER_KEY_ROTATE, detail={"to": job.to})
        log.info("keys_rotation_asked", to=job.to, left=found.left, caller=caller.subject)
        return found

    async def advance(self, job: RotateKeys) -> Effect | None:
        """Works for some seconds from where the job stands; the effect is the job for the rest.

        KeyNotCurrent in a process whose current key is another one; RotationStuck when rows are
        left after a whole pass in which nobody has moved any.
        """
        if job.to != self._keyring.key_id:
            raise KeyNotCurrent(key_id=job.to)
        end = self._monotonic() + SLICE_S
        while self._monotonic() < end:
            following = await self._batch(job)
            if following is None:
                return await self._next_pass(job)
            job = following
        return self._hand_on(job)

    async def run(self, caller: Caller, told: Callable[[RotationStatus], None]) -> RotationStatus:
        """Does all of it here and now; tells how far it is. RotationStuck as with `advance`."""
        caller.require(Scope.ADMIN)
        job: RotateKeys | None = RotateKeys(to=self._keyring.key_id)
        while job is not None:
            following = await self._batch(job)
            if following is None:
                following = await self._again(job)
            job = following
            told(await self.status(caller))
        return await self.status(caller)

    async def _batch(self, job: RotateKeys) -> RotateKeys | None:
        """The job for what comes after one more batch; None at the end of the last holder."""
        names = list(self._holders)
        name = job.holder if job.holder in self._holders else names[0]
        async with self._db.transaction(SYSTEM) as tx:
            holder, patient = self._holders[name], job.left is not None
            done, last = await holder.rewrap(tx, job.after, BATCH, patient=patient)
        moved = job.moved + done
        if last is not None:
            return job.model_copy(update={"holder": name, "after": last, "moved": moved})
        rest = names[names.index(name) + 1 :]
        if rest:
            return job.model_copy(update={"holder": rest[0], "after": None, "moved": moved})
        return None

    async def _again(self, job: RotateKeys) -> RotateKeys | None:
        """The job for another pass, a patient one when this one has moved nothing."""
        async with self._db.transaction(SYSTEM) as tx:
            left = (await self._status(tx)).left
        if not left:
            return None
        if job.moved:
            return RotateKeys(to=job.to)
        if left == job.left:
            raise RotationStuck(left=left)
        return RotateKeys(to=job.to, left=left)

    async def _next_pass(self, job: RotateKeys) -> Effect | None:
        again = await self._again(job)
        if again is None:
            log.info("keys_rotated", to=job.to)
        return None if again is None else self._hand_on(again)

    def _hand_on(self, job: RotateKeys) -> Effect:
        async def effect(tx: Transaction) -> None:
            await self._ledger.put(tx, job)

        return effect

    async def _status(self, tx: Transaction) -> RotationStatus:
        rows = {holder.name: await holder.per_key(tx) for holder in self._holders.values()}
        found = {key_id for counts in rows.values() for key_id in counts}
        ids = (*self._keyring.known_ids, *sorted(found - set(self._keyring.known_ids)))
        keys = [
            MasterKey(
                key_id=key_id,
                current=key_id == self._keyring.key_id,
                known=key_id in self._keyring.known_ids,
                rows={name: counts.get(key_id, 0) for name, counts in rows.items()},
            )
            for key_id in ids
        ]
        left = sum(sum(key.rows.values()) for key in keys if not key.current)
        return RotationStatus(keys=keys, left=left)
