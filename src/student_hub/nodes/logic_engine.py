"""Node 1, the Logic Engine: what a student knows, concept by concept."""

from collections.abc import Sequence
from uuid import UUID

from student_hub.nodes.batches import BATCH_S, KnowledgeStates
from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import KnowledgeState

KNOWLEDGE = NodeTool(NodeName.LOGIC_ENGINE, "get_knowledge_state", KnowledgeState, "concepts")
STATES = NodeTool(NodeName.LOGIC_ENGINE, "get_knowledge_states", KnowledgeStates, limit_s=BATCH_S)


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

    async def knowledge_states(
        self, student_ids: Sequence[UUID], *, deadline: float | None = None
    ) -> KnowledgeStates | None:
        """The same of up to 8 students; None where the node has no such tool."""
        wanted = {"student_ids": [str(student_id) for student_id in student_ids]}
        return await self._gateway.if_offered(STATES, wanted, deadline=deadline)
