"""What the room does in the background: it seals each minute, and drops what is old each day."""

from collections.abc import Mapping
from typing import Any

from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.messages import PruneAudit, SealAudit
from student_hub.platform.jobs.job import Handler, Job


def audit_handlers(keeper: LogKeeper) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs; each run of them may be repeated."""

    async def seal(_job: SealAudit) -> None:
        await keeper.seal()

    async def prune(_job: PruneAudit) -> None:
        await keeper.prune()

    return {SealAudit: seal, PruneAudit: prune}
