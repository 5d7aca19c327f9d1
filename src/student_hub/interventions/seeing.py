"""Which interventions a caller sees: those of the students whom they see."""

from uuid import UUID

from student_hub.access.policy import may_see
from student_hub.interventions import repository
from student_hub.interventions.errors import InterventionNotFound
from student_hub.interventions.models import InterventionRow
from student_hub.platform.db.database import Transaction
from student_hub.platform.security.caller import Caller
from student_hub.students.errors import StudentNotFound
from student_hub.students.service import Students


async def seen(
    tx: Transaction, students: Students, caller: Caller, intervention_id: UUID
) -> InterventionRow:
    """The intervention; InterventionNotFound also for one of a student who is not seen."""
    row = await repository.one(tx, intervention_id)
    if row is None or not await may_be_seen(tx, students, caller, row):
        raise InterventionNotFound
    return row


async def may_be_seen(
    tx: Transaction, students: Students, caller: Caller, row: InterventionRow
) -> bool:
    """Whether the caller sees the student."""
    try:
        return may_see(caller, await students.require(tx, row.student_id))
    except StudentNotFound:
        return False
