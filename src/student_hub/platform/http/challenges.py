"""What an answer says of how to get in: the challenge of RFC 6750, with the pointer of RFC 9728."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.types import Scope as Request

from student_hub.platform.security.caller import Caller, Role, Scope

PREFIX = "hub:"
"""Before the names of the hub's scopes, where they stand among those of others."""
WELL_KNOWN = "/.well-known/oauth-protected-resource"
REALM = 'Bearer realm="student-hub"'
STATE = "challenge"

Ceiling: TypeAlias = Callable[[Role], frozenset[Scope]]
"""The scopes that a role may hold at most."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Where a client finds out who issues tokens for the hub.

    `resource` is the hub's public address without a slash at its end; `documented` are paths
    that have a document of their own, for clients that take them for the resource.
    """

    resource: str
    ceiling: Ceiling
    documented: frozenset[str] = field(default=frozenset({"/mcp"}))

    def metadata_url(self, path: str) -> str:
        """Where the document is that is about that path."""
        own = path if path in self.documented else ""
        return f"{self.resource}{WELL_KNOWN}{own}"


def unauthenticated(request: Request) -> str:
    """The challenge of an answer to a request without a good credential."""
    challenge = _challenge(request)
    if challenge is None:
        return REALM
    said = {"error": "invalid_token"} if _bears(request) else {}
    return _header(challenge, request, {**said, "scope": f"{PREFIX}{Scope.READ}"})


def lacking(request: Request, scope: str) -> str | None:
    """The challenge of one whose token lacks that scope; None where no other token would help."""
    challenge = _challenge(request)
    caller = request.get("state", {}).get("caller")
    if challenge is None or not isinstance(caller, Caller) or not _bears(request):
        return None
    if scope not in challenge.ceiling(caller.role):
        return None
    wanted = " ".join(f"{PREFIX}{name}" for name in sorted({*caller.scopes, scope}))
    return _header(challenge, request, {"error": "insufficient_scope", "scope": wanted})


def _header(challenge: Challenge, request: Request, said: Mapping[str, str]) -> str:
    known = {**said, "resource_metadata": challenge.metadata_url(request["path"])}
    return ", ".join([REALM, *(f'{name}="{value}"' for name, value in known.items())])


def _challenge(request: Request) -> Challenge | None:
    found = request.get("state", {}).get(STATE)
    return found if isinstance(found, Challenge) else None


def _bears(request: Request) -> bool:
    return any(
        name == b"authorization" and value[:7].lower() == b"bearer "
        for name, value in request["headers"]
    )
