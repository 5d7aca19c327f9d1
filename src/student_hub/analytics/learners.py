"""What was gathered of each student, as the statistics and the rules take it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from student_hub.analytics.statistics.scale import Belief

NO_CODES: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concept:
    """How a student stands at one concept; `unmet` are weak prerequisites of it."""

    mastery: float
    low: float
    high: float
    belief: Belief
    answers: int
    last_at: datetime | None
    unmet: tuple[str, ...] = NO_CODES


@dataclass(frozen=True, slots=True)
class Level:
    """A student over all concepts; nothing but the count of answers where there are none."""

    answers: int
    mastery: float | None = None
    belief: Belief | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """What a student did within the window, and when they usually come (days of Asia/Seoul)."""

    active_days: int = 0
    problems: int = 0
    minutes_a_day: float | None = None
    timed: int = 0
    rapid: int = 0
    last_day: date | None = None
    usual_gap: float | None = None


@dataclass(frozen=True, slots=True)
class Learner:
    """A student; None where the node could not be had."""

    id: UUID
    concepts: Mapping[str, Concept] | None = None
    now: Level | None = None
    then: Level | None = None
    habits: Habits = field(default_factory=Habits)

    @property
    def is_missing(self) -> bool:
        """Whether a node could not be had: then nothing is known, which is not the same as 0."""
        return self.concepts is None or self.now is None

    @property
    def has_data(self) -> bool:
        return bool(self.concepts) or (self.now is not None and self.now.belief is not None)


@dataclass(frozen=True, slots=True)
class Day:
    """What a class did on one day of Asia/Seoul."""

    date: date
    active: int
    problems: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """A class as it is now. `names` are what concepts are called, by their keys."""

    learners: list[Learner]
    left_out: int
    days: list[Day]
    names: Mapping[str, str]
    compares: bool
    """Whether node 2 could be asked how far the students were when the window began."""
    whole: bool = True
    """Whether every node answered about everybody."""
