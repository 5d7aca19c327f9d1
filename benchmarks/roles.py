"""Callers of every role, each with a key and the grants that people of that role have."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.stage import SCHOOL, Stage

CLASS_SIZE = 25
CLASSES = 4
CHILDREN = 2
Seen = tuple[str, Sequence[str]]
"""A key, and the students whom its bearer may see."""


def callers(stage: Stage, students: Sequence[str], grade: int) -> dict[str, Seen]:
    """By role; a teacher has four classes, a parent two children, a student themself."""
    classes = [
        {"kind": "class", "school_id": SCHOOL, "grade": grade, "class_name": f"{number}반"}
        for number in range(1, CLASSES + 1)
    ]
    own = [{"kind": "student", "student_id": student} for student in students[:CHILDREN]]
    return {
        "service": (_key(stage, "service"), students),
        "teacher": (_key(stage, "teacher", classes), students[: CLASSES * CLASS_SIZE]),
        "parent": (_key(stage, "parent", own), students[:CHILDREN]),
        "student": (_key(stage, "student", own[:1]), students[:1]),
    }


def _key(stage: Stage, role: str, places: Iterable[Mapping[str, object]] = ()) -> str:
    subject = f"bench:{role}"
    wanted = {"name": "bench", "scopes": ["read"], "role": role, "subject": subject}
    for place in places:
        stage.ask("/admin/grants", {"subject": subject, "relation": "bench", **place})
    return str(stage.ask("/admin/keys", wanted)["key"])
