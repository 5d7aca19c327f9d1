"""A scheduler as a process of its own, to be killed: `scheduling_worker.py '{"database_url": …}'`.

It ticks without a pause, and does the jobs that its ticks ask for.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from schedules.stage import Clock, Room
from student_hub.platform.db.database import Database
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.security.keyring import Keyring


@dataclass(frozen=True)
class Wanted:
    """Where it works."""

    database_url: str

    def argv(self) -> list[str]:
        return [sys.executable, __file__, json.dumps(asdict(self))]


async def run(wanted: Wanted) -> None:
    """Until it is killed."""
    configure_logging("warning", "json")
    database = Database(wanted.database_url)
    keyring, lease = Keyring(bytes(range(32))), timedelta(seconds=1)
    room = Room(database, keyring, Clock(datetime.now(UTC)), lease)
    while True:
        await room.schedules.tick()
        await room.work()
        await room.schedules.look_after_runs()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(run(Wanted(**json.loads(sys.argv[1]))))
