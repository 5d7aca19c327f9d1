"""Two-level partial pooling: each student given the class, and the class given all students.

Nodes give every student a belief that was drawn towards the mean of *all* students. Averaging
such beliefs as if they were independent is wrong twice: they err together, by the part of the
class's own deviation that the drawing took away, and they lie too close together. So

1. the node's prior N(m, V) is taken out of each belief, what is left being y_i with variance r_i;
   m is nobody's to know here, so the mean of the beliefs stands for it;
2. students lie around the class mean mu with variance T, found in the class itself (one step of
   EM, with weight for what is usual), and mu is the mean of the y_i with weights 1 / (T + r_i);
3. each student is pooled anew towards mu: with k_i = T / (T + r_i) the mean is
   k_i y_i + (1 - k_i) mu, the variance k_i r_i, plus (1 - k_i)^2 S for what is common to all: by so
   much may the class deviate from all students (variance S) and its answers not show it.

So the variance of the class mean is sum k_i r_i / n^2 + (mean(1 - k_i))^2 S, by the delta method
on the scale of mastery, and not the sum of the students' variances over n^2. It is the normal
hierarchical model (Gelman et al., Bayesian Data Analysis, chapter 5) with a shared term.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from student_hub.analytics.statistics.scale import Z80, Belief, logit, sigmoid

ALL_VARIANCE = 1.0
"""V: students at one concept, of whom nothing is known (reference model: 0.7 + 0.3)."""
CLASS_SHARE = 0.2
"""S / V: how much of it lies between classes (Hedges and Hedberg 2007: 0.2 in mathematics)."""
PRIOR_WEIGHT = 8.0
"""As many students as the prior of T weighs."""
KNOWN = 0.98
"""A belief with this share of V or more says nothing beyond the prior."""


class Pooled(NamedTuple):
    """A class at one concept: its students' beliefs anew, in the order given, and their mean."""

    beliefs: list[Belief]
    mean: float
    low: float
    high: float


def pool(beliefs: Sequence[Belief], variance: float = ALL_VARIANCE) -> Pooled:
    """The mean mastery of these students with its 80 % interval; there must be at least one."""
    n = len(beliefs)
    centre = sum(each.mean for each in beliefs) / n
    spread = _spread(beliefs, centre, variance)
    seen = [_without_prior(each, centre, variance) for each in beliefs]
    weights = [1.0 / (spread + each.variance) for each in seen]
    mu = sum(w * each.mean for w, each in zip(weights, seen, strict=True)) / sum(weights)
    hidden = CLASS_SHARE * variance
    again = [_drawn(each, mu, spread) for each in seen]
    lost = [each.variance / (spread + each.variance) for each in seen]
    masteries = [each.mastery for each in again]
    slopes = [p * (1.0 - p) for p in masteries]
    own = sum(s * s * each.variance for s, each in zip(slopes, again, strict=True)) / (n * n)
    shared = (sum(s * k for s, k in zip(slopes, lost, strict=True)) / n) ** 2 * hidden
    mean = sum(masteries) / n
    half = Z80 * sqrt(own + shared) / (mean * (1.0 - mean))
    wide = [
        Belief(each.mean, each.variance + k * k * hidden)
        for each, k in zip(again, lost, strict=True)
    ]
    return Pooled(wide, mean, sigmoid(logit(mean) - half), sigmoid(logit(mean) + half))


def _spread(beliefs: Sequence[Belief], centre: float, variance: float) -> float:
    """T: within the class, by the law of total variance; no more than all students differ."""
    around = sum((each.mean - centre) ** 2 + each.variance for each in beliefs)
    expected = (1.0 - CLASS_SHARE) * variance
    guess = (PRIOR_WEIGHT * expected + around) / (PRIOR_WEIGHT + len(beliefs) - 1)
    return min(guess, variance)


def _without_prior(belief: Belief, centre: float, variance: float) -> Belief:
    """What the student's own answers say."""
    share = min(belief.variance / variance, KNOWN)
    rest = share * variance / (1.0 - share)
    return Belief(centre + (belief.mean - centre) / (1.0 - share), rest)


def _drawn(seen: Belief, mu: float, spread: float) -> Belief:
    keep = spread / (spread + seen.variance)
    return Belief(keep * seen.mean + (1.0 - keep) * mu, keep * seen.variance)
