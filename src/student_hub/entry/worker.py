"""The Celery worker: a process with one event loop and one house, and threads that wait."""

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime

from student_hub.access.audit.messages import PruneAudit, SealAudit
from student_hub.entry.guarded import require_guarded
from student_hub.entry.house import build
from student_hub.entry.places import Places
from student_hub.history.messages import DropOldHistory, MakePartitions
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import AT_LENGTH, Database
from student_hub.platform.jobs.carrier import RING, UPKEEP, LoopThread
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.pruning import PruneJobs
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings
from student_hub.students.messages import SealCareNotes

QUIET = ("--without-mingle", "--without-gossip", "--without-heartbeat")
DAILY = (MakePartitions(), DropOldHistory(), SealCareNotes(), PruneJobs(), PruneAudit())
EACH_MINUTE = (SealAudit(),)
SPARE_THREADS = 1
"""For what is done in a moment: rings that find no place, and the question for upkeep."""


class Crew:
    """What a worker process works with: one loop and one house, shared by its threads."""

    def __init__(self, settings: Settings, places: Mapping[Queue, int]) -> None:
        self._places = Places(places)
        self._loop = LoopThread()
        self.house = build(settings, AT_LENGTH)
        self._loop.run(self.house.open())

    def ring(self, queue: str) -> None:
        """Does what is due on the queue, unless as many as may be are at it."""
        self._places.work(Queue(queue), lambda: self._drain(Queue(queue)))

    def upkeep(self) -> None:
        """Asks for the work of the day and the minute, once however often it is told to."""
        self._loop.run(ask_for_daily_work(self.house.parts, utc_now()))
        self._loop.run(ask_for_work_of_the_minute(self.house.parts, utc_now()))

    def close(self) -> None:
        self._loop.run(self.house.close())
        self._loop.stop()

    def _drain(self, queue: Queue) -> None:
        self._loop.run(self.house.parts.get(Workshop).work(queue))


def places_of(settings: Settings) -> dict[Queue, int]:
    """How many jobs at a time each queue's workers do, by the settings."""
    return {
        Queue.HIGH_PRIORITY: settings.high_priority_threads,
        Queue.DEFAULT: settings.default_threads,
        Queue.LOW_PRIORITY: settings.low_priority_threads,
    }


def run_worker(settings: Settings, places: Mapping[Queue, int]) -> None:
    """Works on these queues, on each so many jobs at a time, until SIGTERM; running jobs end."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    configure_logging(settings.log_level, settings.log_format)
    require_guarded(settings)
    with closing(Crew(settings, places)) as crew:
        app = crew.house.celery
        app.task(name=RING)(crew.ring)
        app.task(name=UPKEEP)(crew.upkeep)
        names = ",".join(queue.value for queue in places)
        options = [
            "--pool=threads",
            f"--concurrency={sum(places.values()) + SPARE_THREADS}",
            f"--queues={names}",
            f"--loglevel={settings.log_level.upper()}",
        ]
        app.worker_main(["--quiet", "worker", *options, *QUIET])


async def ask_for_daily_work(parts: Parts, now: datetime) -> None:
    """Puts each daily job in the ledger, unless the day (UTC) has it already."""
    await _ask(parts, DAILY, f"{now:%Y-%m-%d}")


async def ask_for_work_of_the_minute(parts: Parts, now: datetime) -> None:
    """Puts each job of every minute in the ledger, unless the minute has it already."""
    await _ask(parts, EACH_MINUTE, f"{now:%Y-%m-%dT%H:%M}")


async def _ask(parts: Parts, jobs: Iterable[Job], stamp: str) -> None:
    async with parts.get(Database).transaction() as tx:
        for job in jobs:
            await parts.get(Ledger).put(tx, job, unique_key=f"{job.kind()}:{stamp}")
