"""The ledger's own upkeep."""

from collections.abc import Mapping
from typing import Any

from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue


class PruneJobs(Job):
    """Delete the jobs that were done over a week ago."""

    queue = Queue.LOW_PRIORITY


def ledger_handlers(ledger: Ledger) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the ledger's own jobs."""

    async def prune(_job: PruneJobs) -> Effect:
        async def effect(tx: Transaction) -> None:
            await ledger.prune(tx)

        return effect

    return {PruneJobs: prune}
