"""How mastery changed between two moments: of a student, and of those who were there at both."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from student_hub.analytics.statistics.scale import Z80, Belief, normal_cdf
from student_hub.analytics.statistics.summary import ENOUGH_STUDENTS

NOTICED = 0.3
"""A fall of the level by so much (logits) counts."""


class Growth(NamedTuple):
    """The mean change of mastery with its 80 % interval, and the mean before."""

    n: int
    change: float
    low: float
    high: float
    before: float


def growth(pairs: Sequence[tuple[Belief, Belief]]) -> Growth | None:
    """The mean of the paired differences (after less before); None for fewer than five students.

    Pairing takes out what students differ in. It is a difference of posterior means, not of
    shares of right answers, which would change with the difficulty of what was set.
    """
    n = len(pairs)
    if n < ENOUGH_STUDENTS:
        return None
    changes = [after.mastery - before.mastery for before, after in pairs]
    mean = sum(changes) / n
    deviation = sqrt(sum((each - mean) ** 2 for each in changes) / (n - 1))
    half = Z80 * deviation / sqrt(n)
    earlier = sum(before.mastery for before, _ in pairs) / n
    return Growth(n, mean, mean - half, mean + half, earlier)


def chance_of_fall(before: Belief, after: Belief, by: float = NOTICED) -> float:
    """The probability that the level fell by more than `by` (logits).

    Two states of one filter err together. With variances P0 and P1 and a drift as large as P0
    between them, P0 + P1 - 2 P1 P0 / (P0 + Q) is P0; the larger of the two is the careful choice.
    """
    deviation = sqrt(max(before.variance, after.variance))
    return normal_cdf((before.mean - after.mean - by) / deviation)
