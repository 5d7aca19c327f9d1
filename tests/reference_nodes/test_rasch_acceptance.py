"""What the model promises, on simulated learners whose truth is known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from random import Random

import pytest

from learning_events import auc, correlation
from reference_nodes.learners import Item, Pupil, draw_items, draw_learner
from reference_nodes.learning.items import ItemTable
from reference_nodes.learning.rasch import Z80, StudentBelief, absorb, predict

pytestmark = pytest.mark.requirement("nodes-real-models")


@dataclass
class World:
    """Pupils who answered, and what the filter believes of them; `told` knew the items."""

    items: list[Item]
    table: ItemTable = field(default_factory=ItemTable)
    pupils: list[tuple[Pupil, StudentBelief, StudentBelief]] = field(default_factory=list)

    def taught(self, random: Random, learners: int, answers: int, gain: float) -> "World":
        concepts = sorted({item.concepts[0] for item in self.items})
        for _ in range(learners):
            pupil = Pupil(draw_learner(random, concepts, gain))
            believed, told = StudentBelief(), StudentBelief()
            for item in random.sample(self.items, answers):
                correct = pupil.answer(item, random)
                met = self.table.meet(item.problem_id, item.concepts, None)
                absorb(told, item.concepts, item.d, 0.0, correct)
                surprise = absorb(believed, item.concepts, met.d, met.v, correct)
                self.table.learn(met, surprise)
            self.pupils.append((pupil, believed, told))
        return self

    def inside(self) -> Iterator[bool]:
        """For each pupil and concept, whether the true level lies in the 80 % interval."""
        for pupil, believed, _ in self.pupils[len(self.pupils) // 3 :]:
            for concept, known in believed.concepts.items():
                half = Z80 * sqrt(believed.v + known.v)
                level = believed.theta + known.t - self.table.mean_difficulty(concept)
                true = pupil.level([concept]) - self._mean_difficulty(concept)
                yield abs(level - true) <= half

    def _mean_difficulty(self, concept: str) -> float:
        known = [item.d for item in self.items if item.concepts == (concept,)]
        return sum(known) / len(known)


def world(seed: int, concepts: int, each: int) -> tuple[World, Random]:
    random = Random(seed)  # noqa: S311 # a simulation
    return World(draw_items(random, [f"c{n}" for n in range(concepts)], each)), random


@pytest.mark.parametrize("gain", [0.2, 0.0])
def test_the_80_percent_interval_covers_as_it_says(gain: float) -> None:
    """It covers the truth in 75 to 88 % of cases, whether or not practice makes better."""
    made, random = world(11, concepts=20, each=10)
    inside = list(made.taught(random, learners=300, answers=60, gain=gain).inside())
    assert len(inside) > 3_000
    assert 0.75 <= sum(inside) / len(inside) <= 0.88


def test_item_difficulties_are_recovered() -> None:
    """500 learners on 40 items: r with the true difficulties above .98."""
    made, random = world(5, concepts=5, each=8)
    made.taught(random, learners=500, answers=40, gain=0.2)
    learned = [made.table.meet(item.problem_id, None, None).d for item in made.items]
    assert correlation([item.d for item in made.items], learned) > 0.98


def test_prediction_is_as_good_as_with_the_true_item_parameters() -> None:
    """On fresh answers the AUC is within .01 of the same filter told the true difficulties."""
    made, random = world(3, concepts=5, each=8)
    made.taught(random, learners=500, answers=40, gain=0.2)
    learned, told = [], []
    for pupil, believed, knowing in made.pupils:
        for item in random.sample(made.items, 10):
            correct = random.random() < pupil.chance(item)
            met = made.table.meet(item.problem_id, None, None)
            learned.append((predict(believed, item.concepts, met.d, met.v), correct))
            told.append((predict(knowing, item.concepts, item.d, 0.0), correct))
    assert abs(auc(learned) - auc(told)) < 0.01
    assert auc(learned) > 0.7


def test_with_frozen_items_the_order_of_students_changes_nobody() -> None:
    """A student's beliefs depend on their own answers and the items, on nobody else."""
    made, random = world(8, concepts=3, each=10)
    answers = [(s, i, random.random() < 0.5) for s in range(20) for i in made.items]
    assert _abilities(answers) == _abilities(sorted(answers, key=lambda row: -row[0]))


def _abilities(answers: list[tuple[int, Item, bool]]) -> dict[int, float]:
    students: dict[int, StudentBelief] = {}
    for student, item, correct in answers:
        belief = students.setdefault(student, StudentBelief())
        absorb(belief, item.concepts, item.d, 0.3, correct)
    return {student: belief.theta for student, belief in students.items()}
