"""The jobs of the audit log."""

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.queues import Queue


class SealAudit(Job):
    """Move what has arrived into the sealed log."""

    queue = Queue.LOW_PRIORITY


class PruneAudit(Job):
    """Drop the sealed batches that are older than they are kept."""

    queue = Queue.LOW_PRIORITY
