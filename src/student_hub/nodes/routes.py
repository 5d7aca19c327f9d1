"""/admin/nodes: how the way to each node is (scope admin)."""

from typing import Annotated

from fastapi import APIRouter

from student_hub.nodes.gateway import Gateway
from student_hub.nodes.states import NodeState
from student_hub.platform.http.deps import CallerDep, part
from student_hub.platform.security.caller import Scope

router = APIRouter(prefix="/admin/nodes", tags=["nodes"])
GatewayDep = Annotated[Gateway, part(Gateway)]


@router.get("", summary="Each node's circuit, as the process that answers sees it")
async def list_nodes(gateway: GatewayDep, caller: CallerDep) -> list[NodeState]:
    """Lists the nodes by number, with circuit, recent calls, repeats and calls under way."""
    caller.require(Scope.ADMIN)
    return gateway.states()
