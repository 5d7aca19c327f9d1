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


class ConsentNotFound(HubError):
    """There is no such consent of this student."""

    kind = Kind.NOT_FOUND


class RotationStuck(HubError):
    """{left} rows stay under another master key: their seals are broken or their places taken."""

    kind = Kind.CONFLICT


class KeyNotCurrent(HubError):
    """The master key {key_id} is not the current one of the process that does the work."""

    kind = Kind.CONFLICT
