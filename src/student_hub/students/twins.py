"""Students without a number who are told apart by name alone, while names have several indexes.

The unique index on a class and a name's blind index says nothing of a name that is indexed under
two master keys, as it is while keys rotate. What it would say is asked here.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text

from student_hub.platform.db.database import Transaction
from student_hub.students.schemas import Student
from student_hub.students.vault import Vault

LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtext(class)) "
    "FROM unnest(CAST(:classes AS text[])) AS class ORDER BY class"
)
TAKEN = text(
    """
    SELECT DISTINCT wanted.id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:schools AS text[]), CAST(:grades AS smallint[]),
        CAST(:classes AS text[]), CAST(:indexes AS bytea[]))
        AS wanted (id, school_id, grade, class_name, name_index)
    JOIN students USING (school_id, grade, class_name, name_index)
    WHERE students.student_number IS NULL AND students.id <> wanted.id
    """
)


async def twins(tx: Transaction, vault: Vault, students: Iterable[Student]) -> set[UUID]:
    """The ids of those whose name is taken in their class, under whichever master key.

    With one master key the unique index says it, and nothing is asked.
    """
    unnumbered = [student for student in students if student.student_number is None]
    if not unnumbered or len(vault.known_ids) == 1:
        return set()
    # Two who come at once, indexed under two keys, would not meet in the unique index either.
    classes = {f"{s.school_id}:{s.grade}:{s.class_name}" for s in unnumbered}
    await tx.session.execute(LOCK, {"classes": sorted(classes)})
    return set(await tx.session.scalars(TAKEN, _wanted(vault, unnumbered)))


def _wanted(vault: Vault, students: Sequence[Student]) -> dict[str, list[object]]:
    pairs = [(student, index) for student in students for index in vault.name_indexes(student.name)]
    return {
        "ids": [student.id for student, _ in pairs],
        "schools": [student.school_id for student, _ in pairs],
        "grades": [student.grade for student, _ in pairs],
        "classes": [student.class_name for student, _ in pairs],
        "indexes": [index for _, index in pairs],
    }
