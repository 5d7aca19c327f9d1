"""The finished parts of the house, found by their type."""

from typing import TypeVar

T = TypeVar("T")


class Parts:
    """A typed shelf: `parts.get(Students)` is the one `Students` that was put there."""

    def __init__(self) -> None:
        self._shelf: dict[type, object] = {}

    def put(self, part: T) -> T:
        """Shelves the part under its own type and hands it back; ValueError for a second one."""
        if type(part) in self._shelf:
            raise ValueError(f"there is a {type(part).__name__} already")
        self._shelf[type(part)] = part
        return part

    def get(self, kind: type[T]) -> T:
        """The part of that type; KeyError when the house has none."""
        part = self._shelf[kind]
        if not isinstance(part, kind):
            raise TypeError(f"{kind.__name__} was shelved under a wrong type")
        return part
