"""What the room does in the background: events go on to node 4, partitions are made ahead."""

from collections.abc import Mapping
from typing import Any

from student_hub.history.messages import ForwardEvents, MakePartitions
from student_hub.history.schemas import Event
from student_hub.history.service import History
from student_hub.nodes.lab import Lab
from student_hub.platform.db.database import Database, Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.students.service import Students

AT_ONCE = 500


def history_handlers(
    db: Database, history: History, students: Students, lab: Lab
) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs."""

    async def make_partitions(_job: MakePartitions) -> None:
        await history.make_partitions()

    return {
        ForwardEvents: EventForwarder(db, history, students, lab),
        MakePartitions: make_partitions,
    }


class EventForwarder:
    """Hands a batch of events to node 4, which stores each once, however often it gets them."""

    def __init__(self, db: Database, history: History, students: Students, lab: Lab) -> None:
        self._db = db
        self._history = history
        self._students = students
        self._lab = lab

    async def __call__(self, job: ForwardEvents) -> Effect:
        """The students' new generation, as the nodes' answers about them have changed."""
        async with self._db.transaction() as tx:
            events = await self._history.events_by_id(tx, job.event_ids)
        for start in range(0, len(events), AT_ONCE):
            await self._lab.record_events(
                [_told(event) for event in events[start : start + AT_ONCE]]
            )
        touched = {event.student_id for event in events}

        async def effect(tx: Transaction) -> None:
            # A student may have been deleted since the events were read.
            await self._students.touch(tx, await self._students.existing(tx, touched))

        return effect


def _told(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"id"})
