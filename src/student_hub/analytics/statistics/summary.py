"""What is said of a group: quartiles, the share above a target, and what the interval allows."""

from collections.abc import Sequence
from enum import StrEnum
from math import exp, lgamma, log, log1p
from typing import NamedTuple

ENOUGH_STUDENTS = 5
ENOUGH_ANSWERS = 15
TAIL = 0.1
"""Left out on either side of an 80 % interval."""
STEPS = 40
TINY = 1e-300


class Verdict(StrEnum):
    """What may be said of a group's mastery against the target."""

    WEAK = "weak"
    FINE = "fine"
    UNSURE = "unsure"
    INSUFFICIENT = "insufficient"


class Quartiles(NamedTuple):
    """The lower quartile, the median and the upper quartile."""

    q1: float
    median: float
    q3: float


class Share(NamedTuple):
    """A share and its 80 % interval."""

    p: float
    low: float
    high: float


def verdict(low: float, high: float, target: float, students: int, answers: int) -> Verdict:
    """Weak when the whole 80 % interval is under the target, fine when it is above."""
    if students < ENOUGH_STUDENTS or answers < ENOUGH_ANSWERS:
        return Verdict.INSUFFICIENT
    if high < target:
        return Verdict.WEAK
    return Verdict.FINE if low > target else Verdict.UNSURE


def quartiles(values: Sequence[float]) -> Quartiles:
    """By linear interpolation (Hyndman and Fan 1996, type 7); there must be at least one value."""
    ordered = sorted(values)
    return Quartiles(*(_at(ordered, share) for share in (0.25, 0.5, 0.75)))


def share_above(chances: Sequence[float]) -> Share:
    """How many of the students are above, out of the chance of each; there must be at least one.

    The interval is Jeffreys': quantiles of Beta(k + 1/2, n - k + 1/2) with k the expected number.
    """
    n, k = len(chances), sum(chances)
    low, high = (beta_quantile(tail, k + 0.5, n - k + 0.5) for tail in (TAIL, 1 - TAIL))
    return Share(k / n, low, high)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x at which the beta distribution function is p, by halving."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if not 0.0 < x < 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)
    return exp(front) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's method."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for term in (even, odd):
            d, c = 1.0 / _away(1.0 + term * d), _away(1.0 + term / c)
            value *= d * c
        if abs(value - before) <= abs(value) * 1e-12:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > TINY else TINY


def _at(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
