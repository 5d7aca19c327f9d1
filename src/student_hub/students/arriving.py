"""Rows of an import on their way in: numbered, checked, and bundled into bounded batches."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from pydantic import ValidationError

from student_hub.platform.ndjson import Unreadable
from student_hub.students.schemas import (
    Fault,
    Row,
    Student,
    StudentIn,
    StudentPatch,
    StudentReceipt,
)

BATCH = 500


class Arrived(NamedTuple):
    """A good row."""

    number: int
    student: StudentIn


async def bundles(rows: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[list[Row]]:
    """The rows in bundles of at most 500, numbered from 1, wherever they come from."""
    bundle: list[Row] = []
    number = 0
    async for value in rows if isinstance(rows, AsyncIterable) else _one_by_one(rows):
        number += 1
        bundle.append(Row(number, value))
        if len(bundle) == BATCH:
            yield bundle
            bundle = []
    if bundle:
        yield bundle


def batches(rows: Iterable[Row], receipt: StudentReceipt) -> Iterator[list[Arrived]]:
    """The good rows in batches of which none names an id twice; the others go to the receipt."""
    batch: list[Arrived] = []
    ids: set[UUID | None] = set()
    for number, value in rows:
        if isinstance(value, Unreadable):
            receipt.refuse(number, Fault("", value.problem))
            continue
        try:
            student = StudentIn.model_validate(value)
        except ValidationError as error:
            receipt.refuse(number, Fault.first(error))
            continue
        if len(batch) == BATCH or student.id in ids:
            yield batch
            batch, ids = [], set()
        batch.append(Arrived(number, student))
        ids |= {student.id} - {None}
    if batch:
        yield batch


def newcomer(student: StudentIn, now: datetime) -> Student:
    """The student as they are to be stored, with an id of their own if they bring none."""
    fields = {name: getattr(student, name) for name in StudentPatch.model_fields}
    return Student.model_construct(
        id=student.id or uuid4(), created_at=now, updated_at=now, **fields
    )


async def _one_by_one(rows: Iterable[object]) -> AsyncIterator[object]:
    for row in rows:
        yield row
