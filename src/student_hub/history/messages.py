"""The jobs that the room asks for."""

from uuid import UUID

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.queues import Queue


class ForwardEvents(Job):
    """Hand these events to node 4; the ids are of one batch."""

    event_ids: list[int]


class VoidAtNode(Job):
    """Tell node 4 that an event counts no more; its key is looked up when that is done."""

    student_id: UUID
    event_id: int


class DropOldHistory(Job):
    """Drop what is older than the history is kept."""

    queue = Queue.LOW_PRIORITY


class MakePartitions(Job):
    """Make the partitions of this month and the next ones."""

    queue = Queue.LOW_PRIORITY
