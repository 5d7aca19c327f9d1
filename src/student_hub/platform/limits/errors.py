"""What a caller is told who asks too much."""

from student_hub.platform.errors import HubError, Kind


class RateLimited(HubError):
    """Too many {allowance} calls: come back in {retry_after} s."""

    kind = Kind.RATE_LIMITED
