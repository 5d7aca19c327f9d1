"""An entry of the audit log: made of a caller and a deed, written as a line or as bytes."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import orjson

from student_hub.access.audit.schemas import LONGEST_REASON, Action, Outcome
from student_hub.platform.ids import EPOCH, new_id
from student_hub.platform.security.caller import Caller
from student_hub.platform.text import visible

Detail: TypeAlias = Mapping[str, int | str]
"""Ids and counts; never what a person is called, or has written."""

MOST_STUDENTS = 1_000
LONGEST_WORD = 200
MOST_DETAILS = 20
NOBODY: tuple[UUID, ...] = ()
MICROSECOND = timedelta(microseconds=1)
VERSION_7 = 0x7000_8000_0000_0000_0000
RANDOM = 0x3FFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to whom, or was refused, and why."""

    action: Action
    student_ids: Sequence[UUID] = NOBODY
    outcome: Outcome = Outcome.OK
    reason: str | None = None
    detail: Detail | None = None


@dataclass(slots=True)  # not frozen: one is made for every read, and that would double the cost
class Entry:
    """Who did what to whose data: when, whence, through which door, why."""

    id: UUID
    at: datetime
    subject: str
    role: str
    credential: str
    door: str
    address: str | None
    request_id: str | None
    action: str
    outcome: str
    student_ids: Sequence[UUID]
    reason: str | None
    detail: Mapping[str, object]


FIELDS = tuple(Entry.__dataclass_fields__)


def entries_of(at: datetime, caller: Caller, deed: Deed) -> Iterator[Entry]:
    """The deed as entries of at most 1,000 students each: nearly always one."""
    for start in range(0, max(1, len(deed.student_ids)), MOST_STUDENTS):
        yield _entry(at, caller, deed, deed.student_ids[start : start + MOST_STUDENTS])


def line_of(entry: Entry) -> bytes:
    """The entry as a line of JSON, which `json_to_recordset` reads as it is."""
    # The driver gives ids of a class of its own, which are told by their text.
    return orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE)


def canonical(entry: Entry) -> bytes:
    """The entry as bytes that are the same wherever and whenever it is read.

    A JSON array in the order of the fields, without blanks, keys sorted (as RFC 8785 has it for
    text and whole numbers); the time is microseconds since 1970.
    """
    values = (
        *(str(entry.id), (entry.at - EPOCH) // MICROSECOND),
        *(entry.subject, entry.role, entry.credential),
        *(entry.door, entry.address, entry.request_id),
        *(entry.action, entry.outcome, [str(student_id) for student_id in entry.student_ids]),
        *(entry.reason, entry.detail),
    )
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def _entry(at: datetime, caller: Caller, deed: Deed, student_ids: Sequence[UUID]) -> Entry:
    origin = caller.origin
    return Entry(
        id=new_id(at),
        at=at,
        subject=_word(caller.subject),
        role=caller.role.value,
        credential=_word(caller.credential),
        door=origin.door.value,
        address=None if origin.address is None else _word(origin.address),
        request_id=None if origin.request_id is None else _word(origin.request_id),
        action=deed.action.value,
        outcome=deed.outcome.value,
        student_ids=student_ids,
        reason=None if deed.reason is None else _clean(deed.reason, LONGEST_REASON),
        detail=_details(deed.detail) if deed.detail else {},
    )


def _word(text: str) -> str:
    if len(text) <= LONGEST_WORD and text.isascii() and text.isprintable():
        return text
    return _clean(text, LONGEST_WORD)


def _clean(text: str, longest: int) -> str:
    return visible(unicodedata.normalize("NFC", text))[:longest]


def _details(detail: Detail) -> dict[str, object]:
    some = list(detail.items())[:MOST_DETAILS]
    return {_word(name): _word(value) if isinstance(value, str) else value for name, value in some}
