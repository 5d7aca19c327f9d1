"""Node 2, Q-DNA, the item bank: how far a student has come, and where they are weak."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from student_hub.nodes.batches import BATCH_S, Levels
from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import MasteryLevels, WeakAreas

MASTERY = NodeTool(NodeName.Q_DNA, "get_mastery_level", MasteryLevels)
WEAK_AREAS = NodeTool(NodeName.Q_DNA, "analyze_weak_areas", WeakAreas, "weak_areas", limit_s=2.0)
LEVELS = NodeTool(NodeName.Q_DNA, "get_mastery_levels", Levels, limit_s=BATCH_S)


class QDna:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def mastery_levels(
        self, student_id: UUID, *, deadline: float | None = None
    ) -> Answered[MasteryLevels]:
        """Mastery overall and by subject; NodeFailed when the node has no answer."""
        return await self._gateway.call(MASTERY, {"student_id": str(student_id)}, deadline=deadline)

    async def weak_areas(
        self, student_id: UUID, target_level: float, *, deadline: float | None = None
    ) -> Answered[WeakAreas]:
        """Concepts under the target (0 to 1), the most urgent first; NodeFailed without answer."""
        arguments = {"student_id": str(student_id), "target_level": target_level}
        return await self._gateway.call(WEAK_AREAS, arguments, deadline=deadline)

    async def levels(
        self,
        student_ids: Sequence[UUID],
        *,
        as_of: datetime | None = None,
        deadline: float | None = None,
    ) -> Levels | None:
        """Mastery of up to 20 students, now or as it was; None where the node has no such tool.

        Also None from a node that does not say that its answer is about that moment.
        """
        wanted: dict[str, Any] = {"student_ids": [str(student_id) for student_id in student_ids]}
        if as_of is not None:
            wanted["as_of"] = as_of.isoformat()
        answer = await self._gateway.if_offered(LEVELS, wanted, deadline=deadline)
        return None if answer is None or answer.as_of != as_of else answer
