"""Mastery as a belief on the logit scale, where it is nearly Gaussian, and back again."""

from math import erf, exp, log, pi, sqrt
from typing import NamedTuple

Z80 = 1.2815515655446004
"""Half width of a central 80 % interval in standard deviations."""
CLIP = 0.002
"""Shares closer to 0 or 1 are taken as this close: no node knows more."""
WITHOUT_INTERVAL = 0.4
"""Variance of a belief whose node gives no interval: that of about five answers."""


class Belief(NamedTuple):
    """What is known of one level: a Gaussian on the logit scale."""

    mean: float
    variance: float

    @property
    def mastery(self) -> float:
        """Expected share of right answers (MacKay 1992): sigmoid(mean / sqrt(1 + pi var / 8))."""
        return shrunk(self.mean, self.variance)

    def quantile(self, z: float) -> float:
        """The mastery that is z standard deviations above the middle."""
        return sigmoid(self.mean + z * sqrt(self.variance))

    def above(self, target: float) -> float:
        """The probability that mastery is above the target."""
        return normal_cdf((self.mean - logit(target)) / sqrt(self.variance))


def belief_of(mastery: float, interval: tuple[float, float] | None) -> Belief:
    """The belief that shows itself as this mastery with this 80 % interval."""
    if interval is None:
        return Belief(expanded(mastery, WITHOUT_INTERVAL), WITHOUT_INTERVAL)
    low, high = sorted(map(logit, interval))
    deviation = max((high - low) / (2 * Z80), 0.01)
    return Belief((low + high) / 2, deviation * deviation)


def sigmoid(x: float) -> float:
    """The probability whose logit is x."""
    return 1.0 / (1.0 + exp(-x)) if x >= 0 else 1.0 - 1.0 / (1.0 + exp(x))


def logit(share: float) -> float:
    """The logit of a share, which is clipped to [CLIP, 1 - CLIP] before."""
    share = min(max(share, CLIP), 1.0 - CLIP)
    return log(share / (1.0 - share))


def shrunk(mean: float, variance: float) -> float:
    """Expected sigmoid of a Gaussian."""
    return sigmoid(mean / sqrt(1.0 + pi * variance / 8.0))


def expanded(mastery: float, variance: float) -> float:
    """The mean of the Gaussian of that variance whose expected sigmoid is this mastery."""
    return logit(mastery) * sqrt(1.0 + pi * variance / 8.0)


def normal_cdf(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1.0 + erf(z / sqrt(2.0)))
