"""What can go wrong with keys, grants and doors."""

from student_hub.platform.errors import HubError, Kind


class KeyNotFound(HubError):
    """There is no API key of that id.

    The id is not repeated: what was sent may be a whole key, pasted by mistake.
    """

    kind = Kind.NOT_FOUND


class KeyOver(HubError):
    """This key is good no more, so it has no successor: issue a new one."""

    kind = Kind.CONFLICT


class KeyReplaced(HubError):
    """This key has a successor already: rotate that one."""

    kind = Kind.CONFLICT


class KeysOverlap(HubError):
    """The predecessor of this key is still good: revoke it first, or rotate without overlap."""

    kind = Kind.CONFLICT


class GrantNotFound(HubError):
    """There is no grant of that id."""

    kind = Kind.NOT_FOUND


class GrantExists(HubError):
    """This subject has this grant already, for the same relation."""

    kind = Kind.CONFLICT


class NotForThisRole(HubError):
    """This is not for the role {role}."""

    kind = Kind.FORBIDDEN


class AdministratorKeyUnusable(ValueError):
    """The first administrator key is not one that a request could bring."""
