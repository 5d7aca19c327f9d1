"""The jobs that the room asks for."""

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.queues import Queue


class ForwardEvents(Job):
    """Hand these events to node 4; the ids are of one batch."""

    event_ids: list[int]


class MakePartitions(Job):
    """Make the partitions of this month and the next ones."""

    queue = Queue.LOW_PRIORITY
