"""What the room does in the background: events go on to node 4, partitions are made ahead."""

from collections.abc import Mapping
from typing import Any

from student_hub.history.forwarding import Forwarder, Outcome
from student_hub.history.messages import ForwardEvents, MakePartitions
from student_hub.history.service import History
from student_hub.nodes.lab import Lab
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.students.service import Students


def history_handlers(
    db: Database, history: History, students: Students, lab: Lab, ledger: Ledger
) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs."""
    forwarder = Forwarder(lab)

    async def forward_events(job: ForwardEvents) -> Effect:
        """The students' new generation, as the nodes' answers about them have changed."""
        async with db.transaction() as tx:
            events = await history.events_by_id(tx, job.event_ids)
        outcome = await forwarder.hand_over(events)

        async def effect(tx: Transaction) -> None:
            await _settle(tx, outcome)

        return effect

    async def _settle(tx: Transaction, outcome: Outcome) -> None:
        touched = {event.student_id for event in outcome.taken}
        # A student may have been deleted since the events were read.
        await students.touch(tx, await students.existing(tx, touched))
        for part in outcome.left:
            await ledger.put(tx, ForwardEvents(event_ids=[event.id for event in part]))

    async def make_partitions(_job: MakePartitions) -> None:
        await history.make_partitions()

    return {ForwardEvents: forward_events, MakePartitions: make_partitions}
