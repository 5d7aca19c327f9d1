"""What the room does in the background: node 4 hears of events, partitions come and go."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from student_hub.history.forwarding import Forwarder, Outcome
from student_hub.history.messages import (
    DropOldHistory,
    ForwardEvents,
    MakePartitions,
    VoidAtNode,
)
from student_hub.history.schemas import Event
from student_hub.history.service import History
from student_hub.nodes.lab import Lab
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.security.caller import SYSTEM
from student_hub.students.service import Students

LOOK_AGAIN = timedelta(hours=1)
"""So often it is asked whether a student's events may be handed on after all."""
log = structlog.get_logger()


def history_handlers(
    db: Database, history: History, students: Students, lab: Lab, ledger: Ledger
) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs."""
    teller = Teller(db, history, students, lab, ledger)

    async def make_partitions(_job: MakePartitions) -> None:
        await history.make_partitions()

    async def drop_old_history(_job: DropOldHistory) -> None:
        await history.drop_old()

    return {
        ForwardEvents: teller.forward_events,
        VoidAtNode: teller.void_at_node,
        MakePartitions: make_partitions,
        DropOldHistory: drop_old_history,
    }


class Teller:
    """Tells node 4 what happened and what did not, of students whose data may be processed."""

    def __init__(
        self, db: Database, history: History, students: Students, lab: Lab, ledger: Ledger
    ) -> None:
        self._db = db
        self._history = history
        self._students = students
        self._lab = lab
        self._ledger = ledger
        self._forwarder = Forwarder(lab)

    async def forward_events(self, job: ForwardEvents) -> Effect:
        """The students' new generation, as the nodes' answers about them have changed."""
        async with self._db.transaction(SYSTEM) as tx:
            events = await self._history.events_by_id(tx, job.event_ids)
            closed = await self._students.not_open(tx, {event.student_id for event in events})
        held = [event for event in events if event.student_id in closed]
        free = [event for event in events if event.student_id not in closed]
        outcome = await self._forwarder.hand_over(free)

        async def effect(tx: Transaction) -> None:
            await self._settle(tx, outcome)
            await self._hold_back(tx, held)

        return effect

    async def void_at_node(self, job: VoidAtNode) -> Effect | None:
        """The student's new generation, when the event counted at the node until now."""
        async with self._db.transaction(SYSTEM) as tx:
            key = await self._history.key_of(tx, job.student_id, job.event_id)
        if key is None or not await self._lab.void_event(key.source_node, key.source_id):
            return None

        async def effect(tx: Transaction) -> None:
            known = await self._students.existing(tx, [job.student_id])
            await self._students.touch(tx, known)

        return effect

    async def _settle(self, tx: Transaction, outcome: Outcome) -> None:
        touched = {event.student_id for event in outcome.taken}
        # A student may have been deleted since the events were read.
        await self._students.touch(tx, await self._students.existing(tx, touched))
        for part in outcome.left:
            await self._ledger.put(tx, ForwardEvents(event_ids=[event.id for event in part]))

    async def _hold_back(self, tx: Transaction, held: Sequence[Event]) -> None:
        """Those of students who must not be processed wait here, until they may or are gone."""
        if held:
            log.info("events_held_back", events=len(held))
            job = ForwardEvents(event_ids=[event.id for event in held])
            await self._ledger.put(tx, job, after=LOOK_AGAIN)
