"""What can go wrong with the history."""

from student_hub.platform.errors import HubError, Kind


class EventNotFound(HubError):
    """There is no event with this source_node and source_id."""

    kind = Kind.NOT_FOUND


class ImportUnreadable(HubError):
    """The file cannot be imported: {problem}."""

    kind = Kind.INVALID
