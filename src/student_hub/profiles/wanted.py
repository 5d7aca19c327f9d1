"""What is wanted of whom, and under which names the caches know it."""

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from student_hub.nodes.registry import NodeName
from student_hub.profiles.sections import KINDS
from student_hub.students.schemas import Glance, Student


@dataclass(frozen=True)
class Wanted:
    """A profile of one student in one generation over one window."""

    student: Student
    generation: int
    include_history: bool
    days: int

    @classmethod
    def of(cls, glance: Glance, *, include_history: bool, days: int) -> "Wanted":
        return cls(glance.student, glance.generation, include_history, days)

    @cached_property
    def name(self) -> str:
        """The whole profile's name in the cache; another generation has another one."""
        scope = "full" if self.include_history else "brief"
        return f"profile:{self.student.id}:{self.days}:{scope}:{self.generation}"

    @property
    def nodes(self) -> AbstractSet[NodeName]:
        """The nodes that are asked for it."""
        return KINDS.keys() if self.include_history else KINDS.keys() - {NodeName.LAB}

    def section_name(self, node: NodeName) -> str:
        """The name of a node's answer; that about a school is shared by its students."""
        if node is NodeName.SCHOOL:
            digest = hashlib.sha256(self.student.school_id.encode()).hexdigest()[:16]
            return f"node:{node.number}:{digest}"
        window = f":{self.days}" if node is NodeName.LAB else ""
        return f"node:{node.number}:{self.student.id}{window}"

    def section_generation(self, node: NodeName) -> int:
        """The generation that a node's answer belongs to; a school has none."""
        return 0 if node is NodeName.SCHOOL else self.generation
