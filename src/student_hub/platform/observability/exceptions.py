"""Exceptions as a log may show them: where they came from, and no value of a person's."""

import re
import traceback
from collections.abc import Iterator
from types import TracebackType

from pydantic import ValidationError

TALKATIVE = frozenset({"asyncpg", "sqlalchemy"})
"""Libraries whose messages repeat statements and rows."""
FACTS = ("sqlstate", "constraint_name", "table_name")
DETAIL = "DETAIL:"
A_DETAIL = re.compile(rf"{DETAIL}.*?(?=\n|\\n|$)")
BECAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def trace_of(exc_info: ExcInfo) -> str:
    """The usual trace, the causes first, with each message as `message_of` has it."""
    return "".join(_chain(exc_info[1], set())).rstrip("\n")


def message_of(error: BaseException) -> str:
    """The exception's class and message; of a database's only its code and constraint.

    A value that was refused is left out of pydantic's findings too.
    """
    name = type(error).__qualname__
    if isinstance(error, ValidationError):
        findings = error.errors(include_url=False, include_context=False, include_input=False)
        return f"{name}: " + "; ".join(f"{found['loc']}: {found['type']}" for found in findings)
    if _is_talkative(error):
        facts = [f"{fact}={value}" for fact in FACTS if (value := _fact(error, fact))]
        return f"{name}: {' '.join(facts)}" if facts else name
    text = without_detail(str(error))
    return f"{name}: {text}" if text else name


def without_detail(text: str) -> str:
    """The text without what PostgreSQL says of a row, which is the row's values."""
    return A_DETAIL.sub(f"{DETAIL} [removed]", text) if DETAIL in text else text


def _chain(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _chain(before, seen)
        yield BECAUSE if before is error.__cause__ else MEANWHILE
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{message_of(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, 1):
            yield f"Exception {number} of the group:\n"
            yield from _chain(part, seen)


def _is_talkative(error: BaseException) -> bool:
    return any(kind.__module__.partition(".")[0] in TALKATIVE for kind in type(error).__mro__)


def _fact(error: BaseException, name: str) -> object:
    return getattr(error, name, None) or getattr(getattr(error, "orig", None), name, None)
