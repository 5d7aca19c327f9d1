"""Online Bayesian Rasch model: one Gaussian belief a student, a concept of theirs, and an item.

The one-parameter logistic model (Rasch 1960) filtered by an extended Kalman step, as Glicko does
(Glickman 1999), over several concepts of one answer as in multi-concept Elo (Pelánek 2016), with
the step sizes following from the variances instead of being tuned. An answer a in {0, 1} with the
concepts K, w = 1/|K|, moves the beliefs by

    mu = m + theta - d + sum(w t_k)            var = v + v_d + sum(w^2 v_k)
    p = sigmoid(mu)    I = p (1 - p)    g = (a - p) / (1 + I var)    h = I / (1 + I var)
    theta += v g                               v   += -v^2 h + .001
    t_k   += w v_k g + .2 / (1 + n_k)          v_k += -(w v_k)^2 h + .01       n_k += 1
    d     -= v_d g                             v_d -= v_d^2 h

The decaying gain .2 / (1 + n_k) is the power law of practice. The global mean m is 0: what a
population's answers have in common goes into the item difficulties, whose prior mean is the mean
of the items already seen. An answer without concepts has no sums. The beliefs are kept as
independent (covariances are dropped). Everything is on the logit scale.
"""

from math import exp, log, pi, sqrt
from typing import NamedTuple

ABILITY_VARIANCE = 0.7
CONCEPT_VARIANCE = 0.3
ITEM_VARIANCE = 1.0
ABILITY_DRIFT = 0.001
CONCEPT_DRIFT = 0.01
PRACTICE_GAIN = 0.2
Z80 = 1.2815515655446004
"""Half width of a central 80 % interval in standard deviations."""


class ConceptBelief:
    """How a student stands at one concept, relative to their ability."""

    __slots__ = ("last_at", "n", "t", "v")

    def __init__(self) -> None:
        self.t = 0.0
        self.v = CONCEPT_VARIANCE
        self.n = 0
        self.last_at = 0.0


class StudentBelief:
    """A student's ability, and the concepts that they answered on."""

    __slots__ = ("answers", "concepts", "last_at", "theta", "v")

    def __init__(self) -> None:
        self.theta = 0.0
        self.v = ABILITY_VARIANCE
        self.answers = 0
        self.last_at = float("-inf")
        self.concepts: dict[str, ConceptBelief] = {}


class Surprise(NamedTuple):
    """What one answer taught: the scaled error g and the scaled information h."""

    g: float
    h: float


def sigmoid(x: float) -> float:
    """The probability whose logit is x."""
    return 1.0 / (1.0 + exp(-x)) if x >= 0 else 1.0 - 1.0 / (1.0 + exp(x))


def logit(p: float, clip: float = 0.02) -> float:
    """The logit of p clipped to [clip, 1 - clip]; so an author's difficulty becomes a prior."""
    p = min(max(p, clip), 1.0 - clip)
    return log(p / (1.0 - p))


def shrunk(mu: float, variance: float) -> float:
    """Expected sigmoid of a Gaussian (MacKay 1992): sigmoid(mu / sqrt(1 + pi var / 8))."""
    return sigmoid(mu / sqrt(1.0 + pi * variance / 8.0))


def predict(student: StudentBelief, concepts: tuple[str, ...], d: float, v_d: float) -> float:
    """The probability of a right answer on an item believed to be N(d, v_d)."""
    mu, variance = student.theta - d, student.v + v_d
    w = 1.0 / len(concepts) if concepts else 0.0
    for concept in concepts:
        known = student.concepts.get(concept)
        mu += w * known.t if known else 0.0
        variance += w * w * (known.v if known else CONCEPT_VARIANCE)
    return shrunk(mu, variance)


def absorb(
    student: StudentBelief,
    concepts: tuple[str, ...],
    d: float,
    v_d: float,
    correct: bool,
    at: float = 0.0,
) -> Surprise:
    """Move the student's beliefs by one answer; the item's own step is left to the caller."""
    table = student.concepts
    beliefs = []
    w = 1.0 / len(concepts) if concepts else 0.0
    v = student.v
    mu, variance = student.theta - d, v + v_d
    for concept in concepts:
        belief = table.get(concept)
        if belief is None:
            belief = table[concept] = ConceptBelief()
        beliefs.append(belief)
        mu += w * belief.t
        variance += w * w * belief.v
    p = 1.0 / (1.0 + exp(-mu))
    information = p * (1.0 - p)
    scale = 1.0 / (1.0 + information * variance)
    g = (correct - p) * scale
    h = information * scale
    student.theta += v * g
    student.v = v - v * v * h + ABILITY_DRIFT
    for belief in beliefs:
        wv = w * belief.v
        belief.t += wv * g + PRACTICE_GAIN / (1 + belief.n)
        belief.v += CONCEPT_DRIFT - wv * wv * h
        belief.n += 1
        belief.last_at = at
    student.answers += 1
    student.last_at = at
    return Surprise(g, h)
