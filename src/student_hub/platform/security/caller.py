"""Who is asking: made from a credential at the door, passed on as an explicit argument."""

from dataclasses import dataclass
from enum import StrEnum

from student_hub.platform.errors import NotAllowed


class Scope(StrEnum):
    """What a key may do; `admin` may do everything."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller; `subject` is safe to log (never the key itself)."""

    subject: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Nothing when the caller has the scope; NotAllowed otherwise."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(scope=scope.value)


SYSTEM = Caller("system", frozenset({Scope.ADMIN}))
"""The hub itself, in jobs and at start-up."""
