"""The one family of errors; what each kind is called at a door is that door's own table."""

import inspect
from enum import StrEnum
from typing import ClassVar, TypeAlias, Union

Fact: TypeAlias = Union[str, int, float, bool, "list[Fact]", "dict[str, Fact]", None]


class Kind(StrEnum):
    """What went wrong, in no protocol's words."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    """A node gave no answer that can be used."""
    AWAY = "away"
    """The hub itself cannot work at the moment: what it stands on is away."""


class HubError(Exception):
    """The request could not be carried out."""

    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, **facts: Fact) -> None:
        self.facts = facts
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The first paragraph of the class docstring with the facts filled in."""
        text = inspect.getdoc(type(self)) or ""
        return " ".join(text.split("\n\n")[0].split()).format_map(self.facts)


class InvalidInput(HubError):
    """Not valid: {problem}."""

    kind = Kind.INVALID

    @classmethod
    def field(cls, field: str, problem: str) -> "InvalidInput":
        """The error of one field; `data.errors` lists it for a machine."""
        return cls(problem=f"{field}: {problem}", errors=[{"field": field, "problem": problem}])


class NotAuthenticated(HubError):
    """A valid key or token is needed: a key as X-API-Key, either as a bearer token."""

    kind = Kind.UNAUTHENTICATED


class NotAllowed(HubError):
    """This key may not do that: it lacks the scope {scope}."""

    kind = Kind.FORBIDDEN
