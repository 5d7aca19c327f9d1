"""A student as a caller is shown them, and what a caller can change of what they are not shown."""

from collections.abc import Collection, Iterable

from student_hub.access.policy import withheld_from
from student_hub.platform.security.caller import Caller
from student_hub.students.schemas import Metadata, Student, StudentIn, StudentPatch

CARE = "special_needs"


def shown(caller: Caller, student: Student) -> Student:
    """The student without what is withheld from the caller, which `withheld` names."""
    hidden = withheld_from(caller, student)
    if not hidden:
        return student
    empty: dict[str, object] = {name: None for name in hidden if name != CARE}
    if CARE in hidden:
        empty["metadata"] = student.metadata.model_copy(update={CARE: []})
    return student.model_copy(update={**empty, "withheld": list(hidden)})


def changes_of(
    caller: Caller, held: Student, given: StudentIn | StudentPatch, names: Iterable[str]
) -> dict[str, object]:
    """Those fields of what is given, as they are to be stored.

    What the caller is not shown stays as it is held unless they send it by name: nobody empties
    it by sending back what they were shown.
    """
    hidden = withheld_from(caller, held)
    kept = set(hidden) - given.model_fields_set
    changes = {name: getattr(given, name) for name in names if name not in kept}
    metadata = changes.get("metadata")
    if isinstance(metadata, Metadata):
        changes["metadata"] = _with_unseen(metadata, held.metadata, hidden)
    return changes


def _with_unseen(given: Metadata, held: Metadata, hidden: Collection[str]) -> Metadata:
    if CARE not in hidden or CARE in given.model_fields_set:
        return given
    return given.model_copy(update={CARE: held.special_needs})
