"""Node 5, Report: daily and weekly reports of a student."""

from uuid import UUID

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import Reports

LATEST = NodeTool(NodeName.REPORT, "get_latest_reports", Reports, "reports")


class Report:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def latest_reports(
        self, student_id: UUID, *, deadline: float | None = None
    ) -> Answered[Reports]:
        """The latest reports there are; NodeFailed when the node has no answer."""
        return await self._gateway.call(LATEST, {"student_id": str(student_id)}, deadline=deadline)
