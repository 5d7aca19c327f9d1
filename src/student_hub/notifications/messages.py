"""The jobs of the room."""

from uuid import UUID

from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.queues import Queue


class AddressNotice(Job):
    """Find out who is to be told of a notice, where its writer could not see that."""

    notice_id: UUID


class SendNotification(Job):
    """Send one notification by its channel."""

    notification_id: UUID


class PruneNotifications(Job):
    """Delete notices past their time, and preferences of who sees nobody any more."""

    queue = Queue.LOW_PRIORITY
