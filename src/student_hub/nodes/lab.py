"""Node 4, the Lab: what a student did, and the place where learning events are handed in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import Activities, Recorded

ACTIVITIES = NodeTool(NodeName.LAB, "get_recent_activities", Activities, "activities")
RECORD = NodeTool(NodeName.LAB, "record_events", Recorded, limit_s=30.0)


class Lab:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def recent_activities(
        self, student_id: UUID, days: int, *, deadline: float | None = None
    ) -> Answered[Activities]:
        """Activity of the last `days` days, newest first; NodeFailed when there is no answer."""
        arguments = {"student_id": str(student_id), "days": days}
        return await self._gateway.call(ACTIVITIES, arguments, deadline=deadline)

    async def record_events(self, events: Sequence[dict[str, Any]]) -> Recorded:
        """Hands learning events over (at most 1,000); the node stores each once."""
        answered = await self._gateway.call(RECORD, {"events": list(events)})
        return answered.value
