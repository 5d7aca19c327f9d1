"""Weeks and years in virtual time: two schedulers, aborts, restarts, clocks astray."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from schedules.stage import Clock, Room, another, cron, every
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Job
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.schedules.checking import schedule_of
from student_hub.schedules.schemas import TaskDraft
from student_hub.schedules.times import Schedule

RUNS = "SELECT task_id, scheduled_for, missed FROM scheduled_task_runs ORDER BY 1, 2"
JOBS = "SELECT payload->>'run_id' AS run FROM jobs ORDER BY 1"
ZONES = (
    "Asia/Seoul",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Havana",
    "Pacific/Auckland",
)


class Aborted(Exception):
    """The process ended here."""


@dataclass
class Trouble:
    """Ends a share of the transactions between claim and commit."""

    random: Random
    share: float
    aborted: int = 0

    def befall(self, room: Room) -> None:
        put_all = room.ledger.put_all

        async def perhaps(
            tx: Transaction, jobs: Iterable[Job], *, unique_key: Callable[[Job], str]
        ) -> int:
            put = await put_all(tx, jobs, unique_key=unique_key)
            if self.random.random() < self.share:
                self.aborted += 1
                raise Aborted
            return put

        room.ledger.put_all = perhaps  # type: ignore[method-assign,assignment]


@dataclass
class Play:
    """What was planned, and what came of it."""

    planned: dict[UUID, list[datetime]] = field(default_factory=dict)
    runs: dict[UUID, list[datetime]] = field(default_factory=dict)
    missed: dict[UUID, int] = field(default_factory=dict)
    ticks: int = 0
    aborted: int = 0
    restarts: int = 0
    jobs: int = 0

    @property
    def slots(self) -> int:
        return sum(map(len, self.planned.values()))


def hourly_and_slower() -> list[TaskDraft]:
    """An hour apart at the least, in every zone."""
    crons = ("30 2 * * *", "0 */2 * * *", "0 9 * * MON-FRI", "15 1,23 * * *")
    return [cron(text, timezone=zone) for zone in ZONES for text in crons] + [
        every(3_600),
        every(5_400),
    ]


def daily_and_slower() -> list[TaskDraft]:
    """Half a day apart at the least."""
    crons = ("30 2 * * *", "0 1 * * *", "59 23 * * SUN", "0 9 1 * *", "0 0 29 2 *")
    return [cron(text, timezone=zone) for zone in ZONES for text in crons] + [every(86_400)]


async def played(
    room: Room,
    url: str,
    keyring: Keyring,
    drafts: list[TaskDraft],
    *,
    days: int,
    most_minutes: int,
    seed: int,
    astray: bool = False,
) -> Play:
    """The span, ticked by two schedulers at once at random times, at most so far apart.

    With clocks `astray` a scheduler's may be days off for a while, or the hub may be down.
    """
    random = Random(seed)  # noqa: S311 (a seeded play)
    trouble, play = Trouble(random, 0.1), Play()
    start = room.clock.now
    end = start + timedelta(days=days)
    async with room.database.transaction(SYSTEM) as tx:
        tasks = [await room.schedules.add(tx, draft, "play") for draft in drafts]
    trouble.befall(room)
    clocks = (room.clock, Clock(start))
    while room.clock.now < end:
        async with another(url, keyring, clocks[1]) as other:
            trouble.befall(other)
            play.restarts += 1
            for _ in range(random.randint(50, 150)):
                if room.clock.now >= end:
                    break
                step = random.randint(5, most_minutes)
                if astray and random.random() < 0.02:
                    step += random.randint(0, 3 * 24 * 60)
                room.clock.pass_by(minutes=min(step, (end - room.clock.now) / timedelta(minutes=1)))
                off = timedelta(days=random.uniform(-2, 2)) if _strays(random, astray) else _NONE
                clocks[1].now = room.clock.now + off
                await _tick_both(room, other, play)
    await _until_quiet(room)
    for task, draft in zip(tasks, drafts, strict=True):
        play.planned[task.task_id] = list(_times(schedule_of(draft, start), start, end))
    for task_id, at, missed in await room.all(RUNS):
        play.runs.setdefault(task_id, []).append(at)
        play.missed[task_id] = play.missed.get(task_id, 0) + missed
    play.aborted, play.jobs = trouble.aborted, len(set(await room.all(JOBS)))
    return play


_NONE = timedelta(0)


def _times(schedule: Schedule, start: datetime, end: datetime) -> Iterator[datetime]:
    slot = schedule.after(start)
    while slot is not None and slot <= end:
        yield slot
        slot = schedule.after(slot)


def _strays(random: Random, astray: bool) -> bool:
    return astray and random.random() < 0.05


async def _tick_both(room: Room, other: Room, play: Play) -> None:
    ended = await asyncio.gather(
        room.schedules.tick(room.clock.now),
        other.schedules.tick(other.clock.now),
        return_exceptions=True,
    )
    play.ticks += 2
    for one in ended:
        if isinstance(one, BaseException) and not isinstance(one, Aborted):
            raise one
    # Who was broken off is back before the next time comes.
    while any(isinstance(one, Aborted) for one in ended):
        ended = await asyncio.gather(
            room.schedules.tick(room.clock.now),
            other.schedules.tick(room.clock.now),
            return_exceptions=True,
        )


async def _until_quiet(room: Room) -> None:
    for _ in range(100):
        with suppress(Aborted):
            if not await room.schedules.tick(room.clock.now):
                return
