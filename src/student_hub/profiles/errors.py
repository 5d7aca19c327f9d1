"""What can go wrong with a profile."""

from student_hub.platform.errors import HubError, Kind

RETRY_AFTER_S = 1


class TooBusy(HubError):
    """The hub has more to gather at the moment than it can; try again."""

    kind = Kind.AWAY

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_S)
