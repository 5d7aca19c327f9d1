"""Consents given for a student, and the stop of processing: who may still be worked on."""

from uuid import UUID

from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.policy import may_see
from student_hub.platform.clock import Clock
from student_hub.platform.db.again import transact
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.errors import InvalidInput
from student_hub.platform.security.caller import Caller, Scope
from student_hub.students import consent_rows as rows
from student_hub.students.errors import ConsentNotFound, StudentNotFound
from student_hub.students.schemas import (
    LEARNING,
    Consent,
    ConsentIn,
    Processing,
    ProcessingIn,
    State,
)
from student_hub.students.service import Students

WITHDRAWN = "consent_withdrawn"
NEEDED = "consent_needed"


class Consents:
    """What was consented to, and whether a student's data may be processed.

    A stop is obeyed from its commit on: it waits for what is being stored of the student, and
    every change gives them a new generation, so that no process goes by what it remembers.
    """

    def __init__(self, db: Database, students: Students, audit: Audit, clock: Clock) -> None:
        self._db = db
        self._students = students
        self._audit = audit
        self._clock = clock

    async def of_student(self, caller: Caller, student_id: UUID) -> list[Consent]:
        """Every consent ever given for the student, the newest first; or StudentNotFound."""
        caller.require(Scope.READ)
        with self._audit.refusals(caller, Action.CONSENT_READ, [student_id]):
            async with self._db.transaction(caller) as tx:
                await self._seen(tx, caller, student_id)
                found = await rows.of_student(tx, student_id)
        self._audit.saw(caller, Action.CONSENT_READ, [student_id])
        return found

    async def give(self, caller: Caller, student_id: UUID, given: ConsentIn) -> Consent:
        """The consent as recorded; one that is valid already is given back as it is.

        It does not undo a stop: going on is asked for by itself.
        """
        _may_change(caller)
        now = self._clock()
        if given.given_at is not None and given.given_at > now:
            raise InvalidInput.field("given_at", "lies ahead")

        async def work(tx: Transaction) -> Consent:
            await self._students.hold(tx, caller, student_id)
            consent = await rows.give(tx, student_id, given, caller.subject, now)
            await self._students.touch(tx, [student_id])
            await self._audit.note(tx, caller, Action.CONSENT_GIVE, [student_id])
            return consent

        return await transact(self._db, work, caller)

    async def withdraw(self, caller: Caller, student_id: UUID, consent_id: UUID) -> Consent:
        """The consent, valid no more; the last one for learning stops all processing.

        ConsentNotFound when the student has none of that id; safe to repeat.
        """
        _may_change(caller)

        async def work(tx: Transaction) -> Consent:
            await self._students.hold(tx, caller, student_id)
            held = await rows.one(tx, student_id, consent_id)
            if held is None:
                raise ConsentNotFound
            if held.withdrawn_at is not None:
                return held
            now = self._clock()
            consent = await rows.withdraw(tx, consent_id, caller.subject, now)
            if consent.purpose == LEARNING and not await rows.has_valid(tx, student_id):
                await rows.put(tx, student_id, State.STOPPED, caller.subject, WITHDRAWN, now)
            await self._students.touch(tx, [student_id])
            await self._audit.note(tx, caller, Action.CONSENT_WITHDRAW, [student_id])
            return consent

        return await transact(self._db, work, caller)

    async def processing(self, caller: Caller, student_id: UUID) -> Processing:
        """Whether the student's data may be processed; or StudentNotFound."""
        caller.require(Scope.READ)
        with self._audit.refusals(caller, Action.CONSENT_READ, [student_id]):
            async with self._db.transaction(caller) as tx:
                await self._seen(tx, caller, student_id)
                found = await self.processing_of(tx, student_id)
        self._audit.saw(caller, Action.CONSENT_READ, [student_id])
        return found

    async def set_processing(
        self, caller: Caller, student_id: UUID, wanted: ProcessingIn
    ) -> Processing:
        """The state after a stop, or after the end of one.

        A student who needs a consent and has none awaits it, also when the stop has ended.
        """
        _may_change(caller)

        async def work(tx: Transaction) -> Processing:
            await self._students.hold(tx, caller, student_id)
            by, now = caller.subject, self._clock()
            await rows.put(tx, student_id, State(wanted.state), by, wanted.reason, now)
            await self._students.touch(tx, [student_id])
            stop = wanted.state is State.STOPPED
            action = Action.PROCESSING_STOP if stop else Action.PROCESSING_RESUME
            await self._audit.note(tx, caller, action, [student_id], reason=wanted.reason)
            return await self.processing_of(tx, student_id)

        return await transact(self._db, work, caller)

    async def processing_of(self, tx: Transaction, student_id: UUID) -> Processing:
        """The student's state, and what is kept about it."""
        state = (await self._students.not_open(tx, [student_id])).get(student_id, State.OPEN)
        if state is State.AWAITING_CONSENT:
            return Processing(state=state, reason=NEEDED)
        kept = await rows.kept(tx, student_id)
        return kept if kept is not None and kept.state is state else Processing(state=state)

    async def all_of(self, tx: Transaction, student_id: UUID) -> list[Consent]:
        """Every consent ever given for the student, the newest first."""
        return await rows.of_student(tx, student_id)

    async def _seen(self, tx: Transaction, caller: Caller, student_id: UUID) -> None:
        if not may_see(caller, await self._students.require(tx, student_id)):
            raise StudentNotFound


def _may_change(caller: Caller) -> None:
    caller.require(Scope.READ)
    caller.require(Scope.WRITE)
