"""Why a job failed: whether it was tried at all, and what may be said of it for good."""

import inspect
import re
import traceback
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from student_hub.platform.db.again import UNDONE
from student_hub.platform.db.database import DatabaseAway, sqlstate_of
from student_hub.platform.errors import Fact, HubError, Kind

STOPPING = frozenset({"57P01", "57P02", "57P03"})
"""PostgreSQL's codes for: is told to stop, has crashed, is only starting."""
REMOVED = "[removed]"
LONGEST = 300
OURS = Path(__file__).parents[3]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}")


def was_away(error: BaseException) -> bool:
    """Whether another is to blame, who is away: then the job could not be tried."""
    if isinstance(error, HubError):
        return error.kind in {Kind.UNAVAILABLE, Kind.AWAY}
    return database_failed(error)


def database_failed(error: BaseException) -> bool:
    """Whether the database was away, stopped, or undid the transaction for another's sake."""
    broken = isinstance(error, DBAPIError) and error.connection_invalidated
    return broken or isinstance(error, DatabaseAway) or sqlstate_of(error) in {*STOPPING, *UNDONE}


def told_of(error: BaseException) -> str:
    """What an operator reads of it: no statement, no value, nothing of a person.

    An error of the hub says its sentence, in which only ids, numbers and words of the program
    stand; any other one PostgreSQL's code, if it has one. Then comes where it was raised.
    """
    said = _sentence(error) if isinstance(error, HubError) else _code(error)
    return " ".join(part for part in (said, _place(error)) if part)[:LONGEST]


def _sentence(error: HubError) -> str:
    shown = {name: _harmless(fact) for name, fact in error.facts.items()}
    text = inspect.getdoc(type(error)) or ""
    return " ".join(text.split("\n\n")[0].split()).format_map(shown)


def _harmless(fact: Fact) -> Fact:
    if fact is None or isinstance(fact, (bool, int, float)):
        return fact
    text = fact if isinstance(fact, str) else ""
    return text if UUID.fullmatch(text) or WORD.fullmatch(text) else REMOVED


def _code(error: BaseException) -> str:
    code = sqlstate_of(error)
    return f"sqlstate {code}" if code else ""


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(OURS)]
    if not ours:
        return ""
    file = Path(ours[-1].filename).relative_to(OURS)
    return f"({file}:{ours[-1].lineno})"
