"""Why a token is not taken; of these, callers learn only what helps them."""

from enum import StrEnum

from student_hub.platform.errors import HubError, Kind


class Flaw(StrEnum):
    """What is wrong with a token: for the log and for tests, not for the caller."""

    SIZE = "size"
    FORM = "form"
    """Not three strict base64url segments of strict JSON objects."""
    HEADER = "header"
    """A header that brings its own key, or an extension that must be understood."""
    TYPE = "type"
    ALGORITHM = "algorithm"
    ISSUER = "issuer"
    KEY = "key"
    SIGNATURE = "signature"
    CLAIM = "claim"
    """A claim is missing or of a wrong type."""
    NOT_ACCESS = "not_access"
    """An ID, refresh or logout token."""
    BOUND = "bound"
    """Bound to a key of its holder (DPoP, mutual TLS), which a bearer does not show."""
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    LIFETIME = "lifetime"
    DENIED = "denied"


class TokenRefused(Exception):
    """The token is not taken; outside of this room it becomes `NotAuthenticated`."""

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        super().__init__(flaw.value)


class DocumentUnusable(Exception):
    """A document of an identity provider could not be had, or says something it may not."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(reason)


class NoRole(HubError):
    """No role: this token names none that the hub knows."""

    kind = Kind.FORBIDDEN


class ProviderAway(HubError):
    """Tokens cannot be checked at the moment: the identity provider does not answer."""

    kind = Kind.AWAY
