"""Node 6, School info: names and addresses of schools."""

from student_hub.nodes.gateway import Answered, Gateway
from student_hub.nodes.registry import NodeName, NodeTool
from student_hub.nodes.schemas import School

SCHOOL = NodeTool(NodeName.SCHOOL, "get_school", School)


class SchoolInfo:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def school(self, school_id: str, *, deadline: float | None = None) -> Answered[School]:
        """The school, without a name when the node knows none of that id; NodeFailed otherwise."""
        unknown = School(school_id=school_id, name=None)
        return await self._gateway.call(
            SCHOOL, {"school_id": school_id}, deadline=deadline, absent=unknown
        )
