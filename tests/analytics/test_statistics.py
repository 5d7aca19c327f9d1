"""The statistics of a class against learners whose truth is known."""

from math import sqrt
from random import Random

import pytest

from reference_nodes.learning.rasch import PRACTICE_GAIN, Z80, StudentBelief, absorb
from student_hub.analytics.statistics.growth import growth
from student_hub.analytics.statistics.pooling import pool
from student_hub.analytics.statistics.scale import Belief, belief_of, shrunk, sigmoid
from student_hub.analytics.statistics.summary import (
    Verdict,
    beta_cdf,
    quartiles,
    share_above,
    verdict,
)

pytestmark = pytest.mark.requirement("class-statistics")

CONCEPTS = tuple(f"concept-{number}" for number in range(12))
BETWEEN_ABILITY, BETWEEN_STRENGTH = 0.4, 0.25


def a_class(
    random: Random, students: int, answers: tuple[int, ...]
) -> dict[str, list[tuple[Belief, float]]]:
    """What the reference model believes of each student at each concept, and what is true."""
    ability = random.gauss(0, BETWEEN_ABILITY)
    strength = {each: random.gauss(0, BETWEEN_STRENGTH) for each in CONCEPTS}
    found: dict[str, list[tuple[Belief, float]]] = {each: [] for each in CONCEPTS}
    for _ in range(students):
        theta = ability + random.gauss(0, sqrt(0.7 - BETWEEN_ABILITY**2))
        belief = StudentBelief()
        truth = {}
        for concept in CONCEPTS:
            own = theta + strength[concept] + random.gauss(0, sqrt(0.3 - BETWEEN_STRENGTH**2))
            for done in range(random.choice(answers)):
                truth[concept] = own + PRACTICE_GAIN * sum(1 / n for n in range(1, done + 1))
                d = random.gauss(0, 1)
                right = random.random() < sigmoid(truth[concept] - d)
                absorb(belief, (concept,), d, 0.0, right)
        for concept, level in truth.items():
            known = belief.concepts[concept]
            mean, variance = belief.theta + known.t, belief.v + known.v
            half = Z80 * sqrt(variance)
            shown = belief_of(shrunk(mean, variance), (sigmoid(mean - half), sigmoid(mean + half)))
            found[concept].append((shown, sigmoid(level)))
    return found


@pytest.mark.parametrize(
    ("students", "answers"), [(26, (0, 0, 1, 2, 4, 8, 12)), (26, (2, 3, 4)), (6, (2, 3, 4))]
)
def test_intervals_of_a_class_cover_its_true_mean(students: int, answers: tuple[int, ...]) -> None:
    """80 % intervals cover 75 to 88 % of the true class means, with few answers and many."""
    random = Random(1)  # noqa: S311 (a seed)
    covered = []
    for _ in range(60):
        for pairs in a_class(random, students, answers).values():
            if len(pairs) >= 5:
                pooled = pool([belief for belief, _ in pairs])
                true = sum(level for _, level in pairs) / len(pairs)
                covered.append(pooled.low <= true <= pooled.high)
    assert 0.75 <= sum(covered) / len(covered) <= 0.88


def test_independent_posteriors_would_claim_too_much() -> None:
    """Averaged as if they were independent, the same beliefs cover far less than 80 %."""
    random, covered = Random(1), []  # noqa: S311 (a seed)
    for _ in range(60):
        for pairs in a_class(random, 26, (2, 3, 4)).values():
            beliefs = [belief for belief, _ in pairs]
            masteries = [each.mastery for each in beliefs]
            slopes = [p * (1 - p) for p in masteries]
            variance = sum(s * s * b.variance for s, b in zip(slopes, beliefs, strict=True))
            half = Z80 * sqrt(variance) / len(pairs)
            true = sum(level for _, level in pairs) / len(pairs)
            covered.append(abs(sum(masteries) / len(pairs) - true) <= half)
    assert sum(covered) / len(covered) < 0.7


def test_the_order_of_students_changes_nothing() -> None:
    """Shuffled, a class has the same mean and interval; and a better student raises the mean."""
    beliefs = [Belief(level / 5 - 1, 0.2 + level / 40) for level in range(12)]
    shuffled = Random(3).sample(beliefs, len(beliefs))  # noqa: S311 (a seed)
    one, other = pool(beliefs), pool(shuffled)
    assert (one.mean, one.low, one.high) == pytest.approx((other.mean, other.low, other.high))
    better = pool([*beliefs[:-1], Belief(beliefs[-1].mean + 1, beliefs[-1].variance)])
    assert better.mean > one.mean


def test_the_beta_distribution_agrees_with_the_binomial() -> None:
    """I_x(k, n - k + 1) is the chance of k or more successes of n, summed by hand."""
    n, k, x = 9, 4, 0.37
    choose = [1, 9, 36, 84, 126, 126, 84, 36, 9, 1]
    summed = sum(choose[i] * x**i * (1 - x) ** (n - i) for i in range(k, n + 1))
    assert beta_cdf(x, k, n - k + 1) == pytest.approx(summed, abs=1e-10)


def test_a_share_has_an_interval_around_it() -> None:
    """The share of sure students is their number; its interval holds it and stays in 0 to 1."""
    share = share_above([1.0] * 3 + [0.0] * 12)
    assert share.p == pytest.approx(0.2)
    assert 0 < share.low < 0.2 < share.high < 0.4


def test_verdicts_need_students_and_the_whole_interval() -> None:
    """Few students or answers: nothing is said; nothing is sure across the target."""
    assert verdict(0.4, 0.6, 0.85, 4, 90) is Verdict.INSUFFICIENT
    assert verdict(0.4, 0.6, 0.85, 9, 14) is Verdict.INSUFFICIENT
    assert verdict(0.4, 0.6, 0.85, 9, 30) is Verdict.WEAK
    assert verdict(0.4, 0.9, 0.85, 9, 30) is Verdict.UNSURE
    assert verdict(0.9, 0.95, 0.85, 9, 30) is Verdict.FINE
    assert quartiles([4, 1, 3, 2]) == (1.75, 2.5, 3.25)


def test_growth_is_paired_and_needs_five() -> None:
    """The same change of everybody has no spread; four students give none."""
    pairs = [(Belief(level, 0.1), Belief(level, 0.1)) for level in range(5)]
    found = growth(pairs)
    assert found is not None
    assert (found.n, found.change, found.low, found.high) == (5, 0, 0, 0)
    assert growth(pairs[:4]) is None
