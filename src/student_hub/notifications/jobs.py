"""What the room does in the background: it addresses, sends, and deletes what is old."""

from collections.abc import Mapping
from typing import Any

from student_hub.notifications.messages import AddressNotice, PruneNotifications, SendNotification
from student_hub.notifications.outbox import Outbox
from student_hub.notifications.sending import Sender
from student_hub.notifications.service import Notifications
from student_hub.notifications.wishes import Wishes
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Handler, Job, Outside, inside


def notification_handlers(
    notifications: Notifications, outbox: Outbox, sender: Sender, wishes: Wishes
) -> Mapping[type[Job], Handler[Any] | Outside[Any]]:
    """The handlers of the room's jobs."""

    async def address(tx: Transaction, job: AddressNotice) -> None:
        await outbox.address(tx, job.notice_id)

    async def prune(_job: PruneNotifications) -> None:
        await notifications.prune()
        await wishes.prune()

    return {
        AddressNotice: inside(address),
        SendNotification: Outside(sender.send),
        PruneNotifications: prune,
    }
