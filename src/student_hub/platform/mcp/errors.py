"""What can be wrong with a tool call before its tool runs."""

from student_hub.platform.errors import HubError, Kind


class UnknownTool(HubError):
    """There is no tool of the name {tool!r}."""

    kind = Kind.INVALID
