"""Node 2, Q-DNA, the item bank: how far a student has come."""

from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import MasteryLevels

MASTERY = NodeTool(NodeName.Q_DNA, "get_mastery_level", MasteryLevels)


class QDna:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def mastery_levels(
        self, student_id: UUID, *, deadline: float | None = None
    ) -> Answered[MasteryLevels]:
        """Mastery overall and by subject; NodeFailed when the node has no answer."""
        return await self._gateway.call(MASTERY, {"student_id": str(student_id)}, deadline=deadline)
