"""A worker that counts, as a process of its own: `counting_worker.py '{"database_url": …}'`.

With a broker it is the hub's own worker process but for its jobs. It ends with exit code 70 at a
crash point that it was given by name, as `kill -9` would end it there.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import text

from counting import HANDLERS, Count, CountSoon, count, until
from student_hub.platform.db.database import Database, DatabaseAway, Transaction
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.claim import Claim
from student_hub.platform.jobs.job import Effect, Handlers, Job, Outside, Run
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.shift import Shift
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.logging import configure_logging

CRASHED = 70
TABLES = (
    "CREATE TABLE seen (number int PRIMARY KEY)",
    "CREATE TABLE released (number int)",
    "GRANT ALL ON seen, released TO student_hub_app",
)
NOTE = "INSERT INTO seen VALUES (:number) ON CONFLICT DO NOTHING RETURNING number"
RELEASED = "SELECT count(*) FROM released"
GRACE_S = 0.2


class Chain(Job):
    """Counts, and asks for its successor in the same transaction."""

    number: int
    left: int = 0


class Stumble(Job):
    """Fails the first time, or finds something away; notes that, and counts the next time."""

    number: int
    away: bool = False


class Doomed(Job):
    """Fails for good."""

    most_attempts = 1
    number: int


class Linger(Job):
    """Counts once it is released."""

    number: int


@dataclass(frozen=True)
class Wanted:
    """How the worker is to be."""

    database_url: str
    broker_url: str = ""
    lease_s: float = 1.0
    poll_s: float = 0.2
    places: int = 2
    crash_at: str = ""
    until_idle: bool = False

    def argv(self) -> list[str]:
        return [sys.executable, __file__, json.dumps(asdict(self))]


class Prompt(Random):
    """Chance that never has a job wait."""

    def uniform(self, a: float, b: float) -> float:
        """The lower end."""
        del b
        return a


class CrashingLedger(Ledger):
    """Ends the process at a point; each operation has begun, has written, and has committed."""

    crash_at = ""
    step = ""

    def reach(self, point: str) -> None:
        """No farther, if this is the point."""
        if point == self.crash_at:
            os._exit(CRASHED)

    async def claim(self, queue: Queue, kinds: Collection[str] | None = None) -> Claim | None:
        self.step = "claim"
        claim = await super().claim(queue, kinds)
        if claim is not None:
            self.reach("claim committed")
        return claim

    async def _take(
        self, tx: Transaction, queue: Queue, kinds: Collection[str] | None
    ) -> Claim | None:
        claim = await super()._take(tx, queue, kinds)
        if claim is not None:
            self.reach("claim written")
        return claim

    async def finish(self, claim: Claim, effect: Effect | None) -> None:
        async def watched(tx: Transaction) -> None:
            self.reach("finish before the effect")
            if effect is not None:
                await effect(tx)
            self.reach("finish after the effect")

        self.reach("finish begun")
        await super().finish(claim, watched)
        self.reach("finish committed")

    async def keep(self, claim: Claim, effect: Effect) -> None:
        self.step = "keep"
        await super().keep(claim, effect)
        self.reach("keep committed")

    async def renew(self, claim: Claim) -> None:
        self.step = "renew"
        await super().renew(claim)
        self.reach("renew committed")

    async def postpone(self, claim: Claim, reason: str, message: str | None = None) -> bool:
        self.step = "postpone"
        again = await super().postpone(claim, reason, message)
        self.reach("postpone committed")
        return again

    async def defer(self, claim: Claim, reason: str, message: str | None = None) -> None:
        self.step = "defer"
        await super().defer(claim, reason, message)
        self.reach("defer committed")

    async def give_back(self, claim: Claim) -> None:
        self.step = "give back"
        await super().give_back(claim)
        self.reach("give back committed")

    async def _end(self, tx: Transaction, claim: Claim, **values: object) -> None:
        await super()._end(tx, claim, **values)
        self.reach(f"{self.step} written")


@dataclass(frozen=True)
class Worker:
    """Everything of a worker but what tells it when."""

    database: Database
    bell: Doorbell
    ledger: CrashingLedger
    shift: Shift

    @classmethod
    def of(cls, wanted: Wanted, press: Any = None) -> "Worker":
        database = Database(wanted.database_url, pool_size=wanted.places + 2)
        ledgers: list[CrashingLedger] = []
        bell = Doorbell(press or (lambda _: ledgers[0].reach("bell")))
        lease = timedelta(seconds=wanted.lease_s)
        ledger = CrashingLedger(database, bell, lease=lease, random=Prompt())
        ledger.crash_at = wanted.crash_at
        ledgers.append(ledger)
        workshop = Workshop(ledger, handlers(database, ledger))
        places = {Queue.DEFAULT: wanted.places, Queue.HIGH_PRIORITY: 1}
        return cls(database, bell, ledger, Shift(workshop, places, poll_s=wanted.poll_s))

    async def close(self) -> None:
        await self.bell.close()
        await self.database.close()


def handlers(database: Database, ledger: Ledger) -> Handlers:
    """What the worker knows how to do."""

    async def chain(job: Chain) -> Effect:
        async def effect(tx: Transaction) -> None:
            await count(tx, Count(number=job.number))
            if job.left:
                await ledger.put(tx, Chain(number=job.number + 1, left=job.left - 1))

        return effect

    async def stumble(job: Stumble, run: Run) -> Effect:
        noted: list[int] = []

        async def note(tx: Transaction) -> None:
            noted[:] = await tx.session.scalars(text(NOTE), {"number": job.number})

        await run.keep(note)
        if noted:
            raise DatabaseAway if job.away else ValueError("stumbled")
        return await chain(Chain(number=job.number))

    async def fail(_job: Doomed) -> None:
        raise ValueError("doomed")

    async def linger(job: Linger) -> Effect:
        await until(lambda: _released(database))
        return await chain(Chain(number=job.number))

    mine: Handlers = {Chain: chain, Stumble: Outside(stumble), Doomed: fail, Linger: linger}
    return {**HANDLERS, **mine}


async def _released(database: Database) -> bool:
    async with database.transaction() as tx:
        return bool(await tx.session.scalar(text(RELEASED)))


async def _is_idle(ledger: Ledger) -> bool:
    return not await ledger.waiting()


def run(wanted: Wanted) -> None:
    """Works until SIGTERM, or until there is no work left."""
    configure_logging("warning", "json")
    if wanted.broker_url:
        _run_with_broker(wanted)
    else:
        asyncio.run(_run_alone(wanted))


async def _run_alone(wanted: Wanted) -> None:
    worker, told = Worker.of(wanted), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    worker.shift.start()
    if wanted.until_idle:
        await until(lambda: _is_idle(worker.ledger))
    else:
        await told.wait()
    await worker.shift.stop(GRACE_S)
    await worker.close()


def _run_with_broker(wanted: Wanted) -> None:
    # Celery takes a second to import, and most workers here do without.
    from student_hub.entry.house import House  # noqa: PLC0415
    from student_hub.entry.worker import Crew  # noqa: PLC0415
    from student_hub.platform.jobs.carrier import (  # noqa: PLC0415
        bell_press,
        listen,
        make_celery,
    )
    from student_hub.platform.parts import Parts  # noqa: PLC0415

    celery = make_celery(wanted.broker_url)
    worker = Worker.of(wanted, bell_press(celery))
    house = House(Parts(), celery, closing=[worker.close])
    with closing(Crew(house, worker.shift)) as crew:
        listen(celery, (Queue.DEFAULT, Queue.HIGH_PRIORITY), crew.calls, "warning")


def put_one(wanted: Wanted) -> None:
    """Puts one job under a unique key, as an API process would, and crashes where it is to."""

    async def put() -> None:
        worker = Worker.of(wanted)
        async with worker.database.transaction() as tx:
            await worker.ledger.put(tx, CountSoon(number=1), unique_key="one")
            worker.ledger.reach("put written")
        await worker.close()

    asyncio.run(put())


if __name__ == "__main__":
    run(Wanted(**json.loads(sys.argv[1])))
