"""What can go wrong with the audit log."""

from student_hub.platform.errors import HubError, Kind

RETRY_AFTER_S = 2


class AuditAway(HubError):
    """The audit log cannot be written at the moment, so nothing may be read; try again."""

    kind = Kind.AWAY

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_S)


class LogUnsound(Exception):
    """The end of the audit log is not what was sealed, so nothing is sealed on top of it."""
