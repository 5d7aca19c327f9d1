"""Simulated learners of stated truth, to test the model against and to fill a demo school with.

They follow the law that the model assumes: ability and strengths on the logit scale, and the
power law of practice, n answers on a concept being worth .2 (1 + 1/2 + ... + 1/n). So a test on
them says that the filter computes what it should, not that pupils are like that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from random import Random

from reference_nodes.learning.rasch import (
    ABILITY_VARIANCE,
    CONCEPT_VARIANCE,
    ITEM_VARIANCE,
    PRACTICE_GAIN,
    sigmoid,
)


@dataclass(frozen=True)
class Item:
    """A problem of known difficulty d (logits)."""

    problem_id: str
    concepts: tuple[str, ...]
    d: float


@dataclass(frozen=True)
class Learner:
    """What is true of a learner before practice; with a `gain` of 0 practice changes nothing."""

    theta: float
    strengths: Mapping[str, float]
    gain: float = PRACTICE_GAIN

    def level(self, concept: str, practised: int = 0) -> float:
        """Ability plus strength after so many answers on a concept, logits."""
        practice = self.gain * sum(1 / n for n in range(1, practised + 1))
        return self.theta + self.strengths.get(concept, 0.0) + practice


@dataclass
class Pupil:
    """A learner at work; `practised` counts the answers on each concept."""

    learner: Learner
    practised: Counter[str] = field(default_factory=Counter)

    def level(self, concepts: Sequence[str]) -> float:
        """Mean level on the concepts of a problem, logits."""
        if not concepts:
            return self.learner.theta
        levels = [self.learner.level(each, self.practised[each]) for each in concepts]
        return sum(levels) / len(levels)

    def chance(self, item: Item) -> float:
        """The true probability of a right answer now."""
        return sigmoid(self.level(item.concepts) - item.d)

    def answer(self, item: Item, random: Random) -> bool:
        """Answer an item and learn from it."""
        correct = random.random() < self.chance(item)
        self.practised.update(item.concepts)
        return correct


def draw_learner(random: Random, concepts: Sequence[str], gain: float = PRACTICE_GAIN) -> Learner:
    """A learner drawn from the model's own priors."""
    strengths = {each: random.gauss(0, sqrt(CONCEPT_VARIANCE)) for each in concepts}
    return Learner(random.gauss(0, sqrt(ABILITY_VARIANCE)), strengths, gain)


def draw_items(random: Random, concepts: Sequence[str], each: int) -> list[Item]:
    """So many items of every concept, their difficulties drawn from the model's prior."""
    return [
        Item(f"{concept}-{number}", (concept,), random.gauss(0, sqrt(ITEM_VARIANCE)))
        for concept in concepts
        for number in range(each)
    ]
