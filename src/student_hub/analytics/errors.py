"""What can go wrong with a class."""

from student_hub.platform.errors import HubError, Kind


class ClassNotFound(HubError):
    """There is no such class or grade."""

    kind = Kind.NOT_FOUND
