"""What the message of a job may hold: ids, numbers, times and words of the program."""

import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import orjson
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

MOST_BYTES = 64 * 1_024
WORD = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,199}$"

Word = Annotated[str, StringConstraints(pattern=WORD)]
"""A word of the program's own, such as a type or a reason: no sentence, no name of a person."""

PLAIN = (int, float, bool, UUID, datetime, date, timedelta, Enum, types.NoneType)
MANY = (list, tuple, set, frozenset, dict)
EITHER = (Union, types.UnionType)


def require_plain(kind: str, fields: Mapping[str, FieldInfo]) -> None:
    """Nothing when no field could hold free text; TypeError names the first that could."""
    for name, field in fields.items():
        for found in _leaves(field.annotation, field.metadata):
            if not (isinstance(found, type) and issubclass(found, PLAIN)):
                raise TypeError(
                    f"{kind}.{name} might hold personal data: jobs carry ids, numbers, times, "
                    "enums and `Word`s, and look up everything else when they run"
                )


def require_small(kind: str, payload: Mapping[str, object]) -> None:
    """Nothing when the payload is of at most 64 KiB of JSON; ValueError otherwise."""
    size = len(orjson.dumps(payload))
    if size > MOST_BYTES:
        raise ValueError(f"a job {kind} of {size} bytes: put several, of at most {MOST_BYTES}")


def _leaves(found: Any, bounds: list[Any]) -> Iterator[object]:
    """The types of values that may occur in there; text that is bound to be a word has none."""
    origin, parts = get_origin(found), get_args(found)
    if origin is Annotated:
        yield from _leaves(parts[0], list(parts[1:]))
    elif origin in EITHER or origin in MANY:
        for part in parts:
            if part is not Ellipsis:
                yield from _leaves(part, bounds if origin in EITHER else [])
    elif not (origin is Literal or (found is str and _is_word(bounds))):
        yield found


def _is_word(bounds: list[Any]) -> bool:
    return any(getattr(bound, "pattern", None) == WORD for bound in bounds)
