"""What may be done with an intervention in which state, and where it leads."""

from enum import StrEnum

from student_hub.interventions.errors import WrongStatus
from student_hub.interventions.lifecycle import Status


class Deed(StrEnum):
    """What somebody does with an intervention, as errors say it."""

    APPROVE = "be approved"
    EDIT = "be edited"
    REJECT = "be rejected"
    PAUSE = "be paused"
    RESUME = "be resumed"
    CANCEL = "be cancelled"
    COMPLETE = "be completed"
    MARK = "have a step marked"


S = Status
LEADS: dict[Deed, dict[Status, Status]] = {
    Deed.APPROVE: {S.PROPOSED: S.ACTIVE},
    Deed.EDIT: {S.PROPOSED: S.PROPOSED},
    Deed.REJECT: {S.PROPOSED: S.CANCELLED},
    Deed.PAUSE: {S.ACTIVE: S.PAUSED},
    Deed.RESUME: {S.PAUSED: S.ACTIVE},
    Deed.CANCEL: {S.PROPOSED: S.CANCELLED, S.ACTIVE: S.CANCELLED, S.PAUSED: S.CANCELLED},
    Deed.COMPLETE: {S.ACTIVE: S.COMPLETED},
    Deed.MARK: {S.ACTIVE: S.ACTIVE},
}


def after(status: Status, deed: Deed) -> Status:
    """The status that the deed leads to; WrongStatus when it is not open in this one."""
    following = LEADS[deed].get(status)
    if following is None:
        raise WrongStatus(status=status.value, action=deed.value)
    return following
