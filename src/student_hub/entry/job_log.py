"""What operators do with jobs, told to the audit log."""

from student_hub.access.audit.schemas import Action, Outcome
from student_hub.access.audit.service import Audit
from student_hub.platform.db.database import Transaction
from student_hub.platform.jobs.desk import Deed, Detail, Witness
from student_hub.platform.security.caller import Caller

ACTIONS = {Deed.READ: Action.JOB_READ, Deed.RETRY: Action.JOB_RETRY, Deed.DROP: Action.JOB_DROP}


def witness_of(audit: Audit) -> Witness:
    """Who writes down what is done at the operators' desk."""

    async def note(tx: Transaction, caller: Caller, deed: Deed, detail: Detail) -> None:
        await audit.note(tx, caller, ACTIONS[deed], detail=detail)

    def saw(caller: Caller, deed: Deed, detail: Detail) -> None:
        audit.saw(caller, ACTIONS[deed], detail=detail)

    def refused(caller: Caller, deed: Deed) -> None:
        audit.saw(caller, ACTIONS[deed], outcome=Outcome.REFUSED)

    return Witness(note, saw, refused)
