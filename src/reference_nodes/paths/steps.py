"""What a plan is made of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

Activity = Literal["review_concept", "practice", "mixed_review"]


@dataclass(frozen=True)
class Goal:
    """A concept to bring to a mastery; a code that the graph does not know stands alone."""

    code: str
    target: float


@dataclass(frozen=True)
class Student:
    """What is known of a student, by the main codes of concepts.

    `mastery` and `answers` hold concepts with answers only; `ability` is theta + t_k in logits,
    else taken from the mastery; `due` are the concepts that FSRS wants reviewed.
    """

    mastery: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)
    ability: Mapping[str, float] = field(default_factory=dict)
    due: Collection[str] = ()
    minutes_per_day: float = 20.0


@dataclass(frozen=True)
class Step:
    """One thing to do; `why` is Korean, with the numbers behind it.

    `seconds` is the expected duration; `codes` are all concepts of a mixed review, else one.
    """

    activity: Activity
    codes: tuple[str, ...]
    concept: str
    seconds: int
    why: str
    problems: int | None = None
    difficulty: float | None = None

    @property
    def code(self) -> str:
        """The concept that the step is filed under."""
        return self.codes[0]


@dataclass(frozen=True)
class Plan:
    """Steps in order, and those for which the days do not suffice."""

    steps: tuple[Step, ...]
    cut: tuple[Step, ...]
    seconds_available: int
