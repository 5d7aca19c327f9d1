"""What is wanted of whom, and under which names the caches know it."""

import hashlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from student_hub.nodes.registry import NUMBERS, NodeName
from student_hub.profiles.sections import KINDS
from student_hub.students.schemas import Glance, Student
from student_hub.students.schemas import State as Permission

FULL, BRIEF = "full", "brief"
MOST_DAYS = 365


@dataclass(frozen=True)
class Wanted:
    """A profile of one student in one generation over one window."""

    student: Student
    generation: int
    include_history: bool
    days: int
    permission: Permission = Permission.OPEN

    @classmethod
    def of(cls, glance: Glance, *, include_history: bool, days: int) -> "Wanted":
        return cls(glance.student, glance.generation, include_history, days, glance.processing)

    @property
    def name(self) -> str:
        """The whole profile's name in the cache; another generation has another one."""
        scope = FULL if self.include_history else BRIEF
        return _whole_name(self._student_id, self.days, scope, self.generation)

    @property
    def nodes(self) -> AbstractSet[NodeName]:
        """The nodes that are asked for it."""
        return KINDS.keys() if self.include_history else KINDS.keys() - {NodeName.LAB}

    @cached_property
    def section_names(self) -> Mapping[NodeName, str]:
        """The name of each node's answer; that about a school is shared by its students."""
        return {node: self._section_name(node) for node in self.nodes}

    def section_generation(self, node: NodeName) -> int:
        """The generation that a node's answer belongs to; a school has none."""
        return 0 if node is NodeName.SCHOOL else self.generation

    @property
    def _student_id(self) -> str:
        return str(self.student.id)

    def _section_name(self, node: NodeName) -> str:
        if node is NodeName.SCHOOL:
            digest = hashlib.sha256(self.student.school_id.encode()).hexdigest()[:16]
            return f"node:{NUMBERS[node]}:{digest}"
        return _node_name(node, self._student_id, self.days)


def all_names(student_id: UUID, generation: int) -> Iterator[str]:
    """Every name under which something about the student can be kept."""
    student = str(student_id)
    for node in KINDS.keys() - {NodeName.SCHOOL, NodeName.LAB}:
        yield _node_name(node, student, 0)
    for days in range(1, MOST_DAYS + 1):
        yield _node_name(NodeName.LAB, student, days)
        for scope in (FULL, BRIEF):
            yield _whole_name(student, days, scope, generation)


def _whole_name(student: str, days: int, scope: str, generation: int) -> str:
    return f"profile:{student}:{days}:{scope}:{generation}"


def _node_name(node: NodeName, student: str, days: int) -> str:
    window = f":{days}" if node is NodeName.LAB else ""
    return f"node:{NUMBERS[node]}:{student}{window}"
