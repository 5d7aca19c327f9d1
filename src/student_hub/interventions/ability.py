"""Ability out of mastery, and what plans changed beside comparable students without one.

A naive comparison of before and after lies: the weakest fifth of a class improves by regression
to the mean alone. So the change of a treated student's posterior ability is set against the mean
change of the untreated who began nearest to it, in the same school, grade and time (difference in
differences of matched students). Hedges, L. V. (1981), Distribution theory for Glass's estimator of
effect size, Journal of Educational Statistics 6(2), gives the correction for small numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from uuid import UUID

from student_hub.interventions.schemas import EffectOfMany, Verdict

MATCHES = 5
ENOUGH = 10
"""Finished interventions below which nothing is said."""
EDGE = 0.01
Z_975 = 1.959964


@dataclass(frozen=True, slots=True)
class Course:
    """An ability (logits) at the start and at the end."""

    start: float
    end: float

    @property
    def change(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Compared:
    """A finished intervention: the treated student's course, and those of others."""

    treated: Course
    others: Sequence[Course]

    def matches(self) -> list[Course]:
        """The five of the others who began nearest; none when there are fewer."""
        near = sorted(self.others, key=lambda other: abs(other.start - self.treated.start))
        return near[:MATCHES] if len(near) >= MATCHES else []


def ability_of(mastery: float) -> float:
    """The logit of a mastery (0 to 1), which is held 0.01 away from both ends."""
    share = min(max(mastery, EDGE), 1 - EDGE)
    return math.log(share / (1 - share))


def courses(
    start: Mapping[UUID, float], end: Mapping[UUID, float], who: Sequence[UUID]
) -> list[Course]:
    """Those of whom both ends are known."""
    return [Course(start[each], end[each]) for each in who if each in start and each in end]


def effect_of(finished: Sequence[Compared]) -> EffectOfMany:
    """What finished interventions changed, with its uncertainty; no word about causes."""
    pairs = [(each.treated, matches) for each in finished if (matches := each.matches())]
    changes = [treated.change for treated, _ in pairs]
    beside = [fmean(other.change for other in matches) for _, matches in pairs]
    gains = [mine - theirs for mine, theirs in zip(changes, beside, strict=True)]
    difference, ci = _with_interval(gains)
    starts = [c.start for treated, matches in pairs for c in (treated, *matches)]
    scale = _scale(starts, len(gains))
    return EffectOfMany(
        n=len(pairs),
        finished=len(finished),
        change=_mean(changes),
        comparison_change=_mean(beside),
        difference=difference,
        difference_ci95=ci,
        effect_g=None if difference is None or scale is None else difference * scale,
        effect_ci95=None if ci is None or scale is None else (ci[0] * scale, ci[1] * scale),
        verdict=_verdict(len(pairs), ci),
    )


def hidden(effect: EffectOfMany) -> EffectOfMany:
    """The same without figures: they are of so few students that they could be known by them."""
    return EffectOfMany(
        n=effect.n,
        finished=effect.finished,
        change=None,
        comparison_change=None,
        difference=None,
        difference_ci95=None,
        effect_g=None,
        effect_ci95=None,
        verdict=Verdict.TOO_FEW_TO_TELL,
    )


def _verdict(n: int, ci: tuple[float, float] | None) -> Verdict:
    if n < ENOUGH or ci is None or ci[0] <= 0 <= ci[1]:
        return Verdict.TOO_FEW_TO_TELL
    return Verdict.HIGHER if ci[0] > 0 else Verdict.LOWER


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _with_interval(gains: Sequence[float]) -> tuple[float | None, tuple[float, float] | None]:
    if len(gains) < 2:  # noqa: PLR2004 (one value has no spread)
        return _mean(gains), None
    middle = fmean(gains)
    half = t_975(len(gains) - 1) * stdev(gains) / math.sqrt(len(gains))
    return middle, (middle - half, middle + half)


def _scale(starts: Sequence[float], n: int) -> float | None:
    """One over the standard deviation at the start, with Hedges' correction for small numbers."""
    if n < 2 or (spread := stdev(starts)) == 0:  # noqa: PLR2004
        return None
    return (1 - 3 / (4 * (n - 1) - 1)) / spread


def t_975(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: Cornish and Fisher's expansion around the normal one.

    Exact for 1 and 2 degrees of freedom, elsewhere right to 0.5 % from 3 on.
    """
    if freedom == 1:
        return math.tan(math.pi * (0.975 - 0.5))
    if freedom == 2:  # noqa: PLR2004
        return 2 * 0.475 * math.sqrt(2 / (1 - (2 * 0.475) ** 2))
    z, v = Z_975, float(freedom)
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * v**4),
    )
    return sum(terms)
