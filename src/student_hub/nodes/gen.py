"""Node 3, Gen, AI generation: learning paths."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import LearningPath

# A language model may be behind it: another call is another path, and costs another time.
PATH = NodeTool(
    NodeName.GEN,
    "generate_learning_path",
    LearningPath,
    "learning_path",
    repeatable=False,
    limit_s=10.0,
)


class Gen:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def learning_path(
        self,
        student_id: UUID,
        weak_areas: Sequence[dict[str, Any]],
        target_level: float,
        duration_days: int,
        *,
        deadline: float | None = None,
    ) -> Answered[LearningPath]:
        """Steps for so many days; NodeFailed when the node has no answer that can be used."""
        arguments = {
            "student_id": str(student_id),
            "weak_areas": list(weak_areas),
            "target_level": target_level,
            "duration_days": duration_days,
        }
        return await self._gateway.call(PATH, arguments, deadline=deadline)
