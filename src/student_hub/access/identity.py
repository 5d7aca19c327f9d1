"""What a credential says of who brings it; the seam between keys, tokens and `Access`."""

from dataclasses import dataclass
from typing import Protocol

from student_hub.platform.security.caller import Role, Scope


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credential it is and what it may do; whom they may see is asked of the grants.

    `subject` and `credential` are safe to log: neither is the credential itself.
    """

    subject: str
    role: Role
    scopes: frozenset[Scope]
    credential: str


class TokenReader(Protocol):
    """Reads tokens of other issuers (JWTs)."""

    async def identify(self, token: str) -> Identity:
        """Whose token that is; NotAuthenticated for any that is not good now."""
        ...
