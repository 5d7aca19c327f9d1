"""What can go wrong on the way to a node."""

from enum import StrEnum

from student_hub.platform.errors import HubError, Kind


class Reason(StrEnum):
    """Why a node gave no usable answer."""

    TIMEOUT = "timeout"
    CIRCUIT_OPEN = "circuit_open"
    INVALID = "invalid"
    ERROR = "error"


class NodeFailed(HubError):
    """The node {node} gave no usable answer to {tool}: {reason}."""

    kind = Kind.UNAVAILABLE

    def __init__(self, *, node: str, tool: str, reason: Reason) -> None:
        self.reason = reason
        super().__init__(node=node, tool=tool, reason=reason.value)
