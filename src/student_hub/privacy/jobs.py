"""What the room does in the background: nodes and caches forget who was erased."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from student_hub.history.service import History
from student_hub.nodes.lab import Lab
from student_hub.nodes.registry import NodeName
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.job import Effect, Handler, Job
from student_hub.privacy.erasing import Erasing
from student_hub.privacy.messages import ForgetStudent
from student_hub.privacy.schemas import AtNode

ForgetCached = Callable[[UUID, int], Awaitable[None]]
"""Takes whatever is cached about a student of that generation out of the store."""


def privacy_handlers(
    erasing: Erasing, history: History, lab: Lab, forget_cached: ForgetCached
) -> Mapping[type[Job], Handler[Any]]:
    """The handlers of the room's jobs."""

    async def forget_student(job: ForgetStudent) -> Effect:
        await forget_cached(job.student_id, job.generation)
        events = await lab.forget_student(job.student_id)
        said = AtNode.NOT_OFFERED if events is None else AtNode.FORGOTTEN

        async def effect(tx: Transaction) -> None:
            await erasing.forgotten(tx, job, NodeName.LAB.value, said)
            # Somebody may have come under the same id since: the node has forgotten them as well.
            await history.hand_on_again(tx, job.student_id)

        return effect

    return {ForgetStudent: forget_student}
