"""Students and events for tests: sensible, whole, and different each time."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from sqlalchemy import text

from student_hub.platform.db.database import Database
from student_hub.platform.security.caller import SYSTEM, Caller, Scope
from student_hub.students.schemas import Student, StudentIn
from student_hub.students.service import Students

READER = Caller("reader", frozenset({Scope.READ}))
WRITER = Caller("writer", frozenset({Scope.WRITE}))
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
    async with database.transaction() as tx:
        return await tx.session.scalar(text(sql), values)


async def generation(database: Database, students: Students, student_id: UUID) -> int:
    async with database.transaction() as tx:
        return (await students.glance(tx, student_id)).generation
