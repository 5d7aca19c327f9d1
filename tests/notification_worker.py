"""A worker that sends mail, as a process of its own: `notification_worker.py '{"smtp_url": …}'`."""

import asyncio
import json
import sys

from notification_stage import Room
from student_hub.notifications.mail import Mail
from student_hub.notifications.schemas import ChannelName
from student_hub.notifications.servers import MailServer
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.security.keyring import Keyring

LEASE_S = 1.0
POLL_S = 0.1


async def run(database_url: str, smtp_url: str) -> None:
    """Works until no job is left."""
    mail = Mail(MailServer.of(smtp_url), "hub@school.example", utc_now)
    ways = {ChannelName.EMAIL: mail}
    room = Room(Database(database_url), Keyring(bytes(range(32))), ways, lease_s=LEASE_S)
    while await room.ledger.waiting():
        await room.workshop.work(Queue.DEFAULT)
        await asyncio.sleep(POLL_S)
    await room.database.close()


if __name__ == "__main__":
    asyncio.run(run(**json.loads(sys.argv[1])))
