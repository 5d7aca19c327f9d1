"""What can go wrong with keys."""

from student_hub.platform.errors import HubError, Kind


class KeyNotFound(HubError):
    """There is no API key of that id.

    The id is not repeated: what was sent may be a whole key, pasted by mistake.
    """

    kind = Kind.NOT_FOUND


class AdministratorKeyUnusable(ValueError):
    """The first administrator key is not one that a request could bring."""
