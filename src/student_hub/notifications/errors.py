"""What can go wrong with notifications."""

from student_hub.platform.errors import HubError, Kind


class NotificationNotFound(HubError):
    """There is no notification of that id."""

    kind = Kind.NOT_FOUND


class NotificationNotOpen(HubError):
    """This notification is {state}: there is nothing to decide about it."""

    kind = Kind.CONFLICT


class LinkNotGood(HubError):
    """This link is not one that the hub gave out, or what it was about is gone."""

    kind = Kind.NOT_FOUND
