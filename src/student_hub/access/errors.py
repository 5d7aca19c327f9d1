"""What can go wrong with keys."""

from student_hub.platform.errors import HubError, Kind


class KeyNotFound(HubError):
    """There is no API key of the id {key_id}."""

    kind = Kind.NOT_FOUND
