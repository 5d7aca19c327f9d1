"""Which role a token gives, and which scopes: what the issuer says, within the hub's own bounds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from student_hub.access.tokens.reading import Claims
from student_hub.platform.errors import Fact
from student_hub.platform.http.challenges import PREFIX
from student_hub.platform.security.caller import Role, Scope

UPWARDS = (Role.STUDENT, Role.PARENT, Role.TEACHER, Role.SERVICE, Role.ADMIN)
"""The roles by what they may do, the least first."""
OWN_NAMES: Mapping[str, Role] = {role.value: role for role in Role}
DEFAULT = frozenset({Scope.READ})
USUAL_PATHS = (("realm_access", "roles"), ("roles",))


class Choice(StrEnum):
    """Which of several roles in one token counts."""

    LEAST = "least"
    MOST = "most"


@dataclass(frozen=True, slots=True)
class Roles:
    """How roles are found in a token: at which paths, under which names."""

    paths: Sequence[Sequence[str]]
    names: Mapping[str, Role] = field(default_factory=lambda: OWN_NAMES)
    choice: Choice = Choice.LEAST

    def of(self, claims: Claims) -> Role | None:
        """The one role that counts; None when the token names none that the hub knows."""
        said = {name for path in self.paths for name in _names_at(claims, path)}
        held = [role for role in UPWARDS if any(self.names.get(name) is role for name in said)]
        if not held:
            return None
        return held[0] if self.choice is Choice.LEAST else held[-1]


def paths_of(claim: str | None, audiences: Sequence[str]) -> list[tuple[str, ...]]:
    """Where to look for roles: the claim named by dots or whole, or else the usual places."""
    if claim is not None:
        return [(claim,), tuple(claim.split("."))]
    clients = [("resource_access", audience, "roles") for audience in audiences]
    return [*USUAL_PATHS, *clients]


def scopes_in(said: Sequence[str], ceiling: frozenset[Scope]) -> frozenset[Scope]:
    """The hub's scopes in the token, as far as the role may hold them; without any: reading."""
    known = {scope.value: scope for scope in Scope}
    ours = [name for name in said if name.startswith(PREFIX) or name in known]
    meant = {known.get(name.removeprefix(PREFIX)) for name in ours}
    wanted = frozenset(scope for scope in meant if scope is not None)
    return (wanted if ours else DEFAULT) & ceiling


def _names_at(claims: Claims, path: Sequence[str]) -> Iterator[str]:
    value: Fact = claims
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    listed = [value] if isinstance(value, str) else value
    if isinstance(listed, list):
        yield from (name for name in listed if isinstance(name, str))
