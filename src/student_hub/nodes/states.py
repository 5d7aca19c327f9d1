"""How the way to a node is, as operators see it."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from student_hub.nodes.breaker import Circuit
from student_hub.nodes.registry import NodeName


class NodeState(BaseModel):
    """The way to one node as one process of the hub sees it; each process has its own."""

    model_config = ConfigDict(frozen=True)

    node: NodeName
    number: Annotated[int, Field(description="The node's number on the platform.")]
    circuit: Annotated[Circuit, Field(description="`open`: calls are refused without asking.")]
    since: Annotated[AwareDatetime, Field(description="When the circuit came into this state.")]
    opened: Annotated[int, Field(description="How often it opened since the process started.")]
    calls: Annotated[int, Field(description="Outcomes of the last ten seconds that count.")]
    bad: Annotated[int, Field(description="How many of them were bad.")]
    retries: Annotated[int, Field(description="Calls repeated since the process started.")]
    in_flight: Annotated[int, Field(description="Calls under way, at most 16.")]
    waiting: Annotated[int, Field(description="Calls that wait for one of those places.")]
