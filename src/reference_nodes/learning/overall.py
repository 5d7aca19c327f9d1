"""One figure for everything that a student has practised."""

from collections.abc import Mapping
from math import log, sqrt

from reference_nodes.learning.model import Estimate
from reference_nodes.learning.rasch import Z80, StudentBelief, shrunk, sigmoid


def overall_mastery(belief: StudentBelief, masteries: Mapping[str, Estimate]) -> Estimate | None:
    """Mean mastery of the practised concepts, each counting the same; None without answers.

    The 80 % interval is by the delta method on the logit scale: the variance of the ability is
    common to all concepts, that of each strength is its own. Without any concept it is the
    chance of a right answer on an item of difficulty 0.
    """
    if not belief.answers:
        return None
    means = [known.mean for known in masteries.values()]
    mean = sum(means) / len(means) if means else shrunk(belief.theta, belief.v)
    half = Z80 * (_spread(belief, masteries, mean) if means else sqrt(belief.v))
    middle = log(mean / (1 - mean))
    return Estimate(mean, sigmoid(middle - half), sigmoid(middle + half), belief.answers, None)


def _spread(belief: StudentBelief, masteries: Mapping[str, Estimate], mean: float) -> float:
    slopes = {code: m.mean * (1 - m.mean) / len(masteries) for code, m in masteries.items()}
    shared = sum(slopes.values()) ** 2 * belief.v
    own = sum(slope * slope * belief.concepts[code].v for code, slope in slopes.items())
    return sqrt(shared + own) / (mean * (1 - mean))
