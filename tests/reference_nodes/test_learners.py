"""Simulated learners behave as stated."""

from random import Random

import pytest

from reference_nodes.learners import Item, Learner, Pupil, draw_items, draw_learner
from reference_nodes.learning.rasch import sigmoid

pytestmark = pytest.mark.requirement("nodes-demo-school")

LEARNER = Learner(theta=0.5, strengths={"x": 0.25, "y": -0.75})


def test_the_level_is_ability_plus_strength_plus_practice() -> None:
    """So many answers n are worth .2 (1 + 1/2 + ... + 1/n), the law that the model assumes."""
    assert LEARNER.level("x") == 0.75
    assert LEARNER.level("x", 3) == pytest.approx(0.75 + 0.2 * (1 + 1 / 2 + 1 / 3))
    assert LEARNER.level("never heard of", 0) == 0.5


def test_an_item_with_two_concepts_asks_for_their_mean() -> None:
    """As in the model, each concept counts 1/|K|."""
    item = Item("p", ("x", "y"), 0.1)
    assert Pupil(LEARNER).chance(item) == pytest.approx(sigmoid(0.5 - 0.25 - 0.1))


def test_answering_is_practice() -> None:
    """Right or wrong, the answer counts on each of its concepts."""
    pupil, item = Pupil(LEARNER), Item("p", ("x", "y"), 0.0)
    before = pupil.chance(item)
    pupil.answer(item, Random(1))  # noqa: S311 # a simulation
    assert pupil.practised == {"x": 1, "y": 1}
    assert pupil.chance(item) == pytest.approx(sigmoid(LEARNER.level("x") - 0.5 + 0.2))
    assert pupil.chance(item) > before


def test_without_gain_practice_changes_nothing() -> None:
    """A still world, to test the filter against."""
    still = Pupil(Learner(0.0, {}, gain=0.0))
    item = Item("p", ("x",), 0.3)
    before = still.chance(item)
    still.answer(item, Random(1))  # noqa: S311 # a simulation
    assert still.chance(item) == before


def test_answers_come_out_as_often_as_the_chance_says() -> None:
    """4,000 draws at one chance: the share is within 3 standard errors."""
    random, item = Random(6), Item("p", (), 0.2)  # noqa: S311 # a simulation
    pupil = Pupil(LEARNER)
    share = sum(pupil.answer(item, random) for _ in range(4_000)) / 4_000
    assert share == pytest.approx(sigmoid(0.3), abs=3 * 0.008)


def test_a_seed_draws_the_same_world_twice() -> None:
    """Everything follows from the generator that is passed in."""
    one, two = Random(3), Random(3)  # noqa: S311 # a simulation
    assert draw_items(one, ["x", "y"], 4) == draw_items(two, ["x", "y"], 4)
    assert draw_learner(one, ["x"]) == draw_learner(two, ["x"])
