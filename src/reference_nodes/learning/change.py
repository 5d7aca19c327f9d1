"""How much a student's mastery has changed between two moments, and how sure that is."""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import NamedTuple

from reference_nodes.learning.rasch import (
    ABILITY_DRIFT,
    CONCEPT_DRIFT,
    CONCEPT_VARIANCE,
    Z80,
    StudentBelief,
    shrunk,
)


class Change(NamedTuple):
    """Mean mastery of some concepts before and after, and the 80 % interval of the difference."""

    before: float
    after: float
    low: float
    high: float

    @property
    def change(self) -> float:
        """The difference of the two means."""
        return self.after - self.before


def change(
    before: StudentBelief,
    after: StudentBelief,
    concepts: Sequence[str],
    difficulty: Callable[[str], float],
) -> Change:
    """Compare two states of one student's filter on the same concepts (at least one).

    The errors of two states of a Kalman filter are paired: with variances P0 and P1 and the drift
    Q between them their covariance is P1 P0 / (P0 + Q) (Anderson and Moore 1979, chapter 5), so
    the variance of the difference is P0 + P1 - 2 P1 P0 / (P0 + Q), less than P0 + P1 by far.
    The variances are those of the mean mastery, by the delta method.
    """
    old = [_mastery(before, each, difficulty(each)) for each in concepts]
    new = [_mastery(after, each, difficulty(each)) for each in concepts]
    slopes = {each: p * (1 - p) / len(concepts) for each, p in zip(concepts, new, strict=True)}
    p0, p1 = _variance(before, slopes), _variance(after, slopes)
    drift = _drift(before, after, slopes)
    half = Z80 * sqrt(max(p0 + p1 - 2 * p1 * p0 / (p0 + drift), 0.0))
    first, last = sum(old) / len(old), sum(new) / len(new)
    return Change(first, last, max(last - first - half, -1.0), min(last - first + half, 1.0))


def _mastery(belief: StudentBelief, concept: str, difficulty: float) -> float:
    known = belief.concepts.get(concept)
    t, v = (known.t, known.v) if known else (0.0, CONCEPT_VARIANCE)
    return shrunk(belief.theta + t - difficulty, belief.v + v)


def _variance(belief: StudentBelief, slopes: dict[str, float]) -> float:
    def own(concept: str) -> float:
        known = belief.concepts.get(concept)
        return known.v if known else CONCEPT_VARIANCE

    strengths = sum(slope * slope * own(concept) for concept, slope in slopes.items())
    return sum(slopes.values()) ** 2 * belief.v + strengths


def _drift(before: StudentBelief, after: StudentBelief, slopes: dict[str, float]) -> float:
    def between(concept: str) -> int:
        old, new = before.concepts.get(concept), after.concepts.get(concept)
        return (new.n if new else 0) - (old.n if old else 0)

    strengths = sum(s * s * between(concept) for concept, s in slopes.items()) * CONCEPT_DRIFT
    answers = after.answers - before.answers
    return sum(slopes.values()) ** 2 * answers * ABILITY_DRIFT + strengths
