"""What can go wrong with a student."""

from student_hub.platform.errors import HubError, Kind


class StudentNotFound(HubError):
    """There is no such student."""

    kind = Kind.NOT_FOUND


class StudentExists(HubError):
    """There is a student already with this id, or with this number in this class.

    Students without a number are told apart by their names within a class.
    """

    kind = Kind.CONFLICT
