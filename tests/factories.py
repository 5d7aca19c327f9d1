"""Students and events for tests: sensible, whole, and different each time."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text

from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.students.schemas import Student, StudentIn
from student_hub.students.service import Students

READER = Caller("reader", frozenset({Scope.READ}))
NURSE = Caller("nurse", frozenset({Scope.READ, Scope.SENSITIVE}))
WRITER = Caller("writer", frozenset({Scope.WRITE}))
# By way of the parent: nobody but the owner reaches a partition.
IN_DEFAULT = (
    "SELECT count(*) FROM learning_history WHERE tableoid = to_regclass('learning_history_default')"
)
_numbers = count(1)


def student_fields(**fields: object) -> dict[str, object]:
    """What a school sends of a new student."""
    number = next(_numbers)
    return {
        "name": f"김학생{number}",
        "school_id": "SCH001",
        "grade": 10,
        "class_name": "1반",
        "student_number": str(number),
        **fields,
    }


def student_in(**fields: object) -> StudentIn:
    return StudentIn.model_validate(student_fields(**fields))


async def a_student(students: Students, **fields: object) -> Student:
    """A student who is in the register."""
    return await students.create(SYSTEM, student_in(**fields))


async def take_away(database: Database, students: Students, student_id: UUID) -> None:
    """What an erasure does to the register: the student is gone, and their key with them."""
    async with database.transaction(SYSTEM) as tx:
        await students.hold(tx, SYSTEM, student_id)
        await students.remove(tx, student_id)


def event(student_id: UUID, **fields: object) -> dict[str, object]:
    """What a node sends of an answer."""
    number = next(_numbers)
    return {
        "student_id": str(student_id),
        "event_type": "study",
        "source_node": 4,
        "source_id": f"answer-{number}",
        "occurred_at": datetime.now(UTC).isoformat(),
        "content": {
            "action": "solved_problem",
            "problem_id": f"item-{number}",
            "concepts": ["9수02-20"],
            "result": "correct",
        },
        **fields,
    }


async def scalar(database: Database, sql: str, **values: object) -> object:
    """The one value that the query answers with."""
    async with database.transaction(SYSTEM) as tx:
        return await tx.session.scalar(text(sql), values)


async def generation(database: Database, students: Students, student_id: UUID) -> int:
    async with database.transaction(SYSTEM) as tx:
        return (await students.glance(tx, student_id)).generation


async def a_grant(owner: asyncpg.Connection, subject: str, kind: str, **place: object) -> UUID:
    """A grant, as no service would refuse it."""
    grant = {"id": uuid4(), "subject": subject, "kind": kind, "relation": "homeroom"}
    grant |= {"granted_by": "test", "created_at": datetime.now(UTC), **place}
    names, marks = ", ".join(grant), ", ".join(f"${n}" for n in range(1, len(grant) + 1))
    await owner.execute(f"INSERT INTO grants ({names}) VALUES ({marks})", *grant.values())  # noqa: S608 (fixed names)
    return UUID(str(grant["id"]))
