"""The filter itself, against its formula written out a second time."""

from math import exp, inf, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_nodes.learning.items import ItemTable
from reference_nodes.learning.rasch import (
    ConceptBelief,
    StudentBelief,
    absorb,
    logit,
    predict,
    shrunk,
    sigmoid,
)

pytestmark = pytest.mark.requirement("nodes-real-models")


def student(theta: float, v: float, **concepts: tuple[float, float, int]) -> StudentBelief:
    belief = StudentBelief()
    belief.theta, belief.v = theta, v
    for name, (t, v_k, n) in concepts.items():
        known = belief.concepts[name] = ConceptBelief()
        known.t, known.v, known.n = t, v_k, n
    return belief


def test_one_answer_moves_every_belief_as_the_formula_says() -> None:
    """Two concepts, one of them new; every figure by hand from the published step."""
    who = student(0.4, 0.5, x=(0.3, 0.2, 4))
    items = ItemTable()
    item = items.meet("p", ("x", "y"), None)
    item.d, item.v = 0.1, 0.8
    surprise = absorb(who, ("x", "y"), item.d, item.v, correct=False, at=7.0)
    items.learn(item, surprise)

    mu = 0.4 - 0.1 + 0.5 * 0.3 + 0.5 * 0.0
    variance = 0.5 + 0.8 + 0.25 * 0.2 + 0.25 * 0.3
    p = 1 / (1 + exp(-mu))
    information = p * (1 - p)
    g, h = -p / (1 + information * variance), information / (1 + information * variance)
    assert who.theta == pytest.approx(0.4 + 0.5 * g, abs=1e-12)
    assert who.v == pytest.approx(0.5 - 0.25 * h + 0.001, abs=1e-12)
    x, y = who.concepts["x"], who.concepts["y"]
    assert x.t == pytest.approx(0.3 + 0.5 * 0.2 * g + 0.2 / 5, abs=1e-12)
    assert x.v == pytest.approx(0.2 - (0.5 * 0.2) ** 2 * h + 0.01, abs=1e-12)
    assert y.t == pytest.approx(0.5 * 0.3 * g + 0.2, abs=1e-12)
    assert y.v == pytest.approx(0.3 - (0.5 * 0.3) ** 2 * h + 0.01, abs=1e-12)
    assert (x.n, y.n, x.last_at, who.answers, who.last_at) == (5, 1, 7.0, 1, 7.0)
    assert item.d == pytest.approx(0.1 - 0.8 * g, abs=1e-12)
    assert item.v == pytest.approx(0.8 - 0.64 * h, abs=1e-12)


def test_the_prediction_pays_for_its_uncertainty() -> None:
    """Sigmoid(mu / sqrt(1 + pi var / 8)), an unknown concept counting with its prior."""
    who = student(1.0, 0.5, x=(0.2, 0.1, 3))
    mu, variance = 1.0 + 0.5 * 0.2 + 0.3, 0.5 + 0.6 + 0.25 * 0.1 + 0.25 * 0.3
    expected = sigmoid(mu / sqrt(1 + pi * variance / 8))
    assert predict(who, ("x", "new"), -0.3, 0.6) == pytest.approx(expected, abs=1e-12)
    assert "new" not in who.concepts


def test_an_answer_without_concepts_moves_the_ability_alone() -> None:
    """Foreign data may name no concept; the answer still counts."""
    who = StudentBelief()
    absorb(who, (), 0.0, 1.0, correct=True)
    assert who.theta > 0
    assert not who.concepts


def test_a_new_item_starts_where_its_author_put_it() -> None:
    """The author's difficulty counts before anything else."""
    items = ItemTable()
    assert items.meet("p", ("x",), 0.75).d == pytest.approx(logit(0.75))


def test_a_new_item_without_an_author_starts_at_its_concepts_mean() -> None:
    """Known items of the concept say what to expect, else all items, else 0."""
    items = ItemTable()
    assert items.meet("first", ("x",), None).d == 0
    hard = items.meet("hard", ("y",), 0.9)
    assert items.meet("alike", ("y",), None).d == pytest.approx(hard.d)
    everything = (0 + 2 * hard.d) / 3
    assert items.meet("other", ("z",), None).d == pytest.approx(everything)
    assert items.meet("none", (), None).d == pytest.approx(everything)


def test_extreme_author_difficulties_stay_finite() -> None:
    """0 and 1 are clipped; the logit of neither exists."""
    assert logit(0.0) == pytest.approx(-logit(1.0))
    assert -inf < logit(0.0) < logit(0.1)


@given(st.floats(-30, 30), st.floats(0, 50))
def test_a_shrunk_probability_lies_between_sigmoid_and_one_half(mu: float, v: float) -> None:
    """Uncertainty pulls toward even odds and never past them."""
    p = shrunk(mu, v)
    low, high = sorted((0.5, sigmoid(mu)))
    assert low - 1e-12 <= p <= high + 1e-12


@given(st.lists(st.tuples(st.booleans(), st.floats(-4, 4)), max_size=60))
def test_variances_stay_positive_whatever_comes(answers: list[tuple[bool, float]]) -> None:
    """No sequence of answers makes a belief certain or its variance negative."""
    who = StudentBelief()
    for correct, d in answers:
        absorb(who, ("x", "y"), d, 0.5, correct)
        assert who.v > 0
        assert all(known.v > 0 for known in who.concepts.values())
