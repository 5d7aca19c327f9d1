"""What the message of a job may hold."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from counting import HANDLERS, Count, put, silent_ledger
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.job import Job
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.payloads import Word
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop

pytestmark = pytest.mark.requirement("jobs-without-persons")


class Step(StrEnum):
    """A word of the program."""

    NOTIFY = "notify"


class Everything(Job):
    """All that a message may hold."""

    student_id: UUID
    event_ids: list[int]
    at: datetime | None = None
    day: date = date(2026, 11, 23)
    step: Step = Step.NOTIFY
    way: Literal["mail", "inbox"] = "mail"
    template: Word = "intervention-created"
    also: tuple[Word, ...] = ()
    counts: dict[Word, int] | None = None
    share: Annotated[float | None, Field(ge=0)] = None


class Named(BaseModel):
    """Somebody."""

    name: str


async def test_a_message_comes_back_as_it_was_put(database: Database) -> None:
    """Ids, numbers, times and words of the program survive the way through the ledger."""
    ledger = silent_ledger(database)
    job = Everything(
        student_id=uuid4(),
        event_ids=[1, 2],
        at=datetime.fromisoformat("2026-11-23T09:00+09:00"),
        also=("a-1",),
        counts={"x": 1},
    )
    await put(database, ledger, [job])
    claim = await ledger.claim(Queue.DEFAULT)
    assert claim is not None
    assert Everything.model_validate(claim.payload) == job


@pytest.mark.parametrize("kind", [str, str | None, list[str], dict[str, int], Named, object])
def test_a_message_that_could_hold_free_text_cannot_be_defined(kind: Any) -> None:
    """A name or a sentence in a queue would be personal data in clear: the class is refused."""
    with pytest.raises(TypeError, match=r"Letter\.content might hold personal data"):
        create_model("Letter", __base__=Job, content=(kind, ...))


@pytest.mark.parametrize("word", ["김철수", "kim@example.kr", "two words", "", "-x", "x" * 201])
def test_a_word_is_one_of_the_program(word: str) -> None:
    """No name in Korean, no address, no sentence passes as one."""
    with pytest.raises(ValidationError):
        Everything(student_id=uuid4(), event_ids=[], template=word)


async def test_a_message_has_a_bounded_size(database: Database) -> None:
    """A job that would drag a whole batch along is refused in the transaction that puts it."""
    with pytest.raises(ValueError, match=r"a job everything of \d+ bytes: put several"):
        await put(
            database,
            silent_ledger(database),
            [Everything(student_id=uuid4(), event_ids=list(range(10**9, 10**9 + 7_000)))],
        )


@pytest.mark.parametrize("key", ["김철수", "kim@example.kr", "two words", "x" * 201])
async def test_a_unique_key_names_no_person(database: Database, key: str) -> None:
    """It is kept as long as the job is, and operators read it."""
    ledger: Ledger = silent_ledger(database)
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="made of ids and words of the program"):
            await ledger.put(tx, Count(number=1), unique_key=key)


def test_two_kinds_of_one_name_are_refused() -> None:
    """Two rooms that name their messages alike would work at each other's jobs."""
    twin = type("Count", (Job,), {"__annotations__": {}})
    with pytest.raises(ValueError, match="two classes of jobs have one name"):
        Workshop(None, {**HANDLERS, twin: HANDLERS[Count]})  # type: ignore[arg-type]
