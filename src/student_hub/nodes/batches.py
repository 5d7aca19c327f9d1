"""What nodes 1 and 2 answer about many students at once: compact, for classes and grades.

These tools are the platform's own addition; a node that lacks them is asked student by student.
"""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from student_hub.nodes.schemas import Code, Count, Interval, NodeAnswer, Share, Term

MOST_STATES = 8
"""Students in one call to node 1: with over a hundred concepts each, an answer is not too large."""
MOST_LEVELS = 20
"""Students in one call to node 2."""
BATCH_S = 3.0

Row = tuple[Code, Share, Share, Share, Count, Annotated[float, Field(allow_inf_nan=False)] | None]
"""A concept: its code, mastery, the 80 % interval's ends, answers, the last one (epoch seconds)."""


class KnowledgeOf(NodeAnswer):
    """Node 1: one student's concepts, and which prerequisites of each are weak."""

    student_id: UUID
    concepts: list[Row]
    unmet: dict[Code, list[Code]] = Field(default_factory=dict)


class KnowledgeStates(NodeAnswer):
    """Node 1: several students, and what their concepts are called."""

    students: list[KnowledgeOf]
    names: dict[Code, Term]


class LevelOf(NodeAnswer):
    """Node 2: one student over all concepts; null without answers."""

    student_id: UUID
    overall: Share | None
    interval: Interval | None = None
    answers: Count
    seen: Count | None = None


class Levels(NodeAnswer):
    """Node 2: several students, as they were at `as_of`, or now."""

    students: list[LevelOf]
    as_of: AwareDatetime | None = None
