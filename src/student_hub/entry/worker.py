"""The Celery worker: each of its processes has one event loop and one house."""

import os
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

from student_hub.entry.house import House, build
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

DAILY = (MakePartitions(),)


class Crew:
    """What one worker process works with: made after the fork, put away before the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop: LoopThread | None = None
        self._house: House | None = None

    def start(self, **_signal: object) -> None:
        self._loop = LoopThread()
        self._house = build(self._settings)

    def ring(self, queue: str) -> None:
        """Does what is due on the queue."""
        self._do(lambda parts: parts.get(Workshop).work(Queue(queue)))

    def upkeep(self) -> None:
        """Asks for the work of the day, once a day however often it is told that it is time."""
        self._do(lambda parts: ask_for_daily_work(parts, utc_now()))

    def stop(self, **_signal: object) -> None:
        if self._loop is not None and self._house is not None:
            self._loop.run(self._house.close())
            self._loop.stop()

    def _do(self, work: Callable[[Parts], Coroutine[Any, Any, object]]) -> None:
        if self._loop is None or self._house is None:
            raise RuntimeError("the worker process has not been started")
        self._loop.run(work(self._house.parts))


def run_worker(settings: Settings, queues: Sequence[Queue], concurrency: int) -> None:
    """Works on the queues until SIGTERM, which lets running jobs end first."""
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    configure_logging(settings.log_level, settings.log_format)
    crew = Crew(settings)
    app = hired(settings, crew)
    names = ",".join(queue.value for queue in queues)
    options = ["--pool=prefork", f"--concurrency={concurrency}", f"--queues={names}"]
    quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel=WARNING"]
    app.worker_main(["--quiet", "worker", *options, *quiet])


def hired(settings: Settings, crew: Crew) -> Celery:
    """The Celery app with the crew behind its tasks."""
    app = build(settings).celery
    app.task(name=RING)(crew.ring)
    app.task(name=UPKEEP)(crew.upkeep)
    worker_process_init.connect(crew.start, weak=False)
    worker_process_shutdown.connect(crew.stop, weak=False)
    return app


async def ask_for_daily_work(parts: Parts, now: datetime) -> None:
    """Puts each daily job in the ledger, unless the day (UTC) has it already."""
    async with parts.get(Database).transaction() as tx:
        for job in DAILY:
            await parts.get(Ledger).put(tx, job, unique_key=f"{job.kind()}:{now:%Y-%m-%d}")
