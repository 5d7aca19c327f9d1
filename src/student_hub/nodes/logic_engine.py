"""Node 1, the Logic Engine: what a student knows, concept by concept."""

from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import KnowledgeState

KNOWLEDGE = NodeTool(NodeName.LOGIC_ENGINE, "get_knowledge_state", KnowledgeState, "concepts")


class LogicEngine:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def knowledge_state(
        self, student_id: UUID, *, deadline: float | None = None
    ) -> Answered[KnowledgeState]:
        """The student's concepts with their mastery; NodeFailed when the node has no answer."""
        return await self._gateway.call(
            KNOWLEDGE, {"student_id": str(student_id)}, deadline=deadline
        )
