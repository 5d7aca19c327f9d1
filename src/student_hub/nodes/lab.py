"""Node 4, the Lab: what a student did, and the place where learning events are handed in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import Activities, Forgotten, Recorded, VoidedThere

ACTIVITIES = NodeTool(NodeName.LAB, "get_recent_activities", Activities, "activities")
RECORD = NodeTool(NodeName.LAB, "record_events", Recorded, limit_s=30.0)
VOID = NodeTool(NodeName.LAB, "void_event", VoidedThere, limit_s=10.0)
FORGET = NodeTool(NodeName.LAB, "forget_student", Forgotten, limit_s=30.0)


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

    async def void_event(self, source_node: int, source_id: str) -> bool:
        """Whether the event counted at the node until now; False where it has no such tool."""
        which = {"source_node": source_node, "source_id": source_id}
        answer = await self._gateway.if_offered(VOID, which)
        return answer is not None and answer.voided

    async def forget_student(self, student_id: UUID) -> int | None:
        """How many events of the student the node destroyed; None where it has no such tool."""
        answer = await self._gateway.if_offered(FORGET, {"student_id": str(student_id)})
        return None if answer is None else answer.forgotten
