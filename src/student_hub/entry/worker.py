"""The Celery worker: a process with one event loop and one house, and threads that wait."""

import os
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from student_hub.entry.house import build
from student_hub.history.messages import MakePartitions
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.carrier import RING, UPKEEP, LoopThread
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings

QUIET = ("--without-mingle", "--without-gossip", "--without-heartbeat")
DAILY = (MakePartitions(),)


class Crew:
    """What a worker process works with: one loop and one house, shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        self._loop = LoopThread()
        self.house = build(settings)

    def ring(self, queue: str) -> None:
        """Does what is due on the queue."""
        self._loop.run(self.house.parts.get(Workshop).work(Queue(queue)))

    def upkeep(self) -> None:
        """Asks for the work of the day, once a day however often it is told that it is time."""
        self._loop.run(ask_for_daily_work(self.house.parts, utc_now()))

    def close(self) -> None:
        self._loop.run(self.house.close())
        self._loop.stop()


def run_worker(settings: Settings, queues: Sequence[Queue], concurrency: int) -> None:
    """Works on the queues, so many jobs at a time, until SIGTERM; running jobs end first."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    configure_logging(settings.log_level, settings.log_format)
    with closing(Crew(settings)) as crew:
        app = crew.house.celery
        app.task(name=RING)(crew.ring)
        app.task(name=UPKEEP)(crew.upkeep)
        names = ",".join(queue.value for queue in queues)
        options = [
            "--pool=threads",
            f"--concurrency={concurrency}",
            f"--queues={names}",
            f"--loglevel={settings.log_level.upper()}",
        ]
        app.worker_main(["--quiet", "worker", *options, *QUIET])


async def ask_for_daily_work(parts: Parts, now: datetime) -> None:
    """Puts each daily job in the ledger, unless the day (UTC) has it already."""
    async with parts.get(Database).transaction() as tx:
        for job in DAILY:
            await parts.get(Ledger).put(tx, job, unique_key=f"{job.kind()}:{now:%Y-%m-%d}")
