"""The worker: a process with one event loop and one house, which Celery tells when it is time."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Protocol

from student_hub.access.audit.messages import PruneAudit, SealAudit
from student_hub.entry.guarded import require_guarded
from student_hub.entry.house import House, build
from student_hub.entry.rooms.schedules import schedule_rounds
from student_hub.history.messages import DropOldHistory, MakePartitions
from student_hub.notifications.messages import PruneNotifications
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import AT_LENGTH, Database
from student_hub.platform.jobs.carrier import UPKEEP_EVERY_S, Calls, LoopThread, listen
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.pruning import PruneJobs
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.rounds import Round
from student_hub.platform.jobs.shift import Shift
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings
from student_hub.students.messages import SealCareNotes

DAILY = (
    MakePartitions(),
    DropOldHistory(),
    SealCareNotes(),
    PruneJobs(),
    PruneAudit(),
    PruneNotifications(),
)
EACH_MINUTE = (SealAudit(),)
GRACE_S = 10.0
"""So long a running job may take to end after SIGTERM; then it is given back."""
ALONE_AFTER_S = UPKEEP_EVERY_S + 15.0
"""A worker to whom the clock says nothing for so long looks at the time by itself."""


class States(Protocol):
    """What tells others how the process is."""

    def start(self) -> None: ...
    def draining(self) -> None: ...
    async def stop(self) -> None: ...


class Crew:
    """A worker process at work, and how it is told something from other threads."""

    def __init__(self, house: House, shift: Shift, states: States | None = None) -> None:
        self._loop = LoopThread()
        self._house = house
        self._shift = shift
        self._states = states
        self._loop.run(self._start())

    @property
    def calls(self) -> Calls:
        """What it does when a bell rings, when it is time for upkeep, and when it is to end."""
        return Calls(
            ring=lambda queue: self._loop.soon(partial(self._shift.ring, queue)),
            upkeep=lambda: self._loop.soon(self._shift.call),
            leave=lambda: self._loop.soon(self._leave),
        )

    def close(self) -> None:
        """Ends what is under way or gives it back, and puts the house away."""
        self._loop.run(self._stop())
        self._loop.stop()

    async def _start(self) -> None:
        await self._house.open()
        self._shift.start()
        if self._states is not None:
            self._states.start()

    def _leave(self) -> None:
        self._shift.leave()
        if self._states is not None:
            self._states.draining()

    async def _stop(self) -> None:
        await self._shift.stop(GRACE_S)
        if self._states is not None:
            await self._states.stop()
        await self._house.close()


def places_of(settings: Settings) -> dict[Queue, int]:
    """How many jobs at a time each queue's workers do, by the settings."""
    return {
        Queue.HIGH_PRIORITY: settings.high_priority_threads,
        Queue.DEFAULT: settings.default_threads,
        Queue.LOW_PRIORITY: settings.low_priority_threads,
    }


def run_worker(settings: Settings, places: Mapping[Queue, int]) -> None:
    """Works on these queues, on each so many jobs at a time, until SIGTERM; running jobs end."""
    configure_logging(settings.log_level, settings.log_format)
    require_guarded(settings)
    house = build(settings, AT_LENGTH)
    states = _states_of(house, settings)
    shift = Shift(house.parts.get(Workshop), places, rounds_of(house.parts))
    with closing(Crew(house, shift, states)) as crew:
        listen(house.celery, places.keys(), crew.calls, settings.log_level)


def rounds_of(parts: Parts) -> list[Round]:
    """What every worker process sees to beside its jobs."""

    async def upkeep() -> None:
        await ask_for_daily_work(parts, utc_now())
        await ask_for_work_of_the_minute(parts, utc_now())

    return [Round("upkeep", ALONE_AFTER_S, upkeep), *schedule_rounds(parts)]


async def ask_for_daily_work(parts: Parts, now: datetime) -> None:
    """Puts each daily job in the ledger, unless the day (UTC) has it already."""
    await _ask(parts, DAILY, f"{now:%Y-%m-%d}")


async def ask_for_work_of_the_minute(parts: Parts, now: datetime) -> None:
    """Puts each job of every minute in the ledger, unless the minute has it already."""
    await _ask(parts, EACH_MINUTE, f"{now:%Y-%m-%dT%H:%M}")


def _states_of(house: House, settings: Settings) -> States | None:
    if not settings.worker_metrics_port:
        return None
    # The doors cost every worker 0.7 s of its start, and few workers have any.
    from student_hub.entry.worker_states import WorkerStates, listening  # noqa: PLC0415

    return WorkerStates(house, settings, listening(settings))


async def _ask(parts: Parts, jobs: Iterable[Job], stamp: str) -> None:
    async with parts.get(Database).transaction() as tx:
        for job in jobs:
            await parts.get(Ledger).put(tx, job, unique_key=f"{job.kind()}:{stamp}")
