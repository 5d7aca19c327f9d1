"""What can go wrong with a task."""

from student_hub.platform.errors import HubError, Kind


class TaskNotFound(HubError):
    """There is no such task."""

    kind = Kind.NOT_FOUND


class TaskOver(HubError):
    """This task is {status}: it can be changed no more."""

    kind = Kind.CONFLICT


class AlreadyRunning(HubError):
    """This task was told to run now before, and that run has not ended."""

    kind = Kind.CONFLICT


class KeyReused(HubError):
    """The idempotency_key {key} was used before, with other arguments."""

    kind = Kind.CONFLICT


class NotForAll(HubError):
    """Tasks for all students are for administrators and services: name a student_id."""

    kind = Kind.FORBIDDEN
