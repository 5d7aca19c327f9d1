"""The figures of mastery: over all concepts, at each, and how they grew."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from student_hub.analytics.learners import Concept, Learner
from student_hub.analytics.schemas import (
    Bands,
    ConceptShown,
    GrowthShown,
    Overall,
    PreviousWindow,
    ShareMastered,
)
from student_hub.analytics.statistics.growth import growth
from student_hub.analytics.statistics.pooling import Pooled, pool
from student_hub.analytics.statistics.scale import Belief
from student_hub.analytics.statistics.summary import (
    ENOUGH_STUDENTS,
    Verdict,
    quartiles,
    share_above,
    verdict,
)

OVERALL_VARIANCE = 0.8
"""Students over many concepts: of the strengths at single ones little is left."""
TARGET = 0.85
DEVELOPING = 0.6
MOST_CONCEPTS = 30
MOST_BLOCKING = 3
BLOCKING_SHARE = 1 / 3
FEWEST_BLOCKED = 2
RANKS = {Verdict.WEAK: 0, Verdict.UNSURE: 1, Verdict.INSUFFICIENT: 2, Verdict.FINE: 3}


def overall(learners: Sequence[Learner]) -> Overall | None:
    """Mastery over all concepts, of those who have any; None when nobody has."""
    beliefs = [at.now.belief for at in learners if at.now is not None and at.now.belief is not None]
    if not beliefs:
        return None
    pooled = pool(beliefs, OVERALL_VARIANCE)
    masteries = [each.mastery for each in pooled.beliefs]
    at = quartiles(masteries)
    return Overall(
        n=len(beliefs),
        mean=_shown(pooled.mean),
        ci=_interval(pooled),
        median=_shown(at.median),
        q1=_shown(at.q1),
        q3=_shown(at.q3),
        bands=_bands(masteries, len(learners)),
    )


def by_concept(
    learners: Sequence[Learner], names: Mapping[str, str], fewest: int
) -> list[ConceptShown]:
    """Each concept that at least `fewest` students met: those surely weak first, then by mean."""
    met: dict[str, list[Concept]] = {}
    for learner in learners:
        for key, at in (learner.concepts or {}).items():
            met.setdefault(key, []).append(at)
    shown = [_at_concept(key, group, names) for key, group in met.items() if len(group) >= fewest]
    shown.sort(key=lambda at: (RANKS[at.verdict], at.mean, at.concept))
    return shown


def grown(learners: Sequence[Learner]) -> GrowthShown | None:
    """The change of those with answers before the window and in it; None for too few."""
    found = growth(list(_pairs(learners)))
    if found is None:
        return None
    return GrowthShown(
        n=found.n,
        change=_shown(found.change),
        ci=(_shown(found.low), _shown(found.high)),
        previous_window=PreviousWindow(mean=_shown(found.before), n=found.n),
    )


def _pairs(learners: Sequence[Learner]) -> Iterator[tuple[Belief, Belief]]:
    for learner in learners:
        now, then = learner.now, learner.then
        if now is None or then is None or now.belief is None or then.belief is None:
            continue
        if now.answers > then.answers:
            yield then.belief, now.belief


def _at_concept(key: str, group: Sequence[Concept], names: Mapping[str, str]) -> ConceptShown:
    pooled = pool([each.belief for each in group])
    answers = sum(each.answers for each in group)
    at = quartiles([each.mastery for each in pooled.beliefs])
    share = share_above([each.above(TARGET) for each in pooled.beliefs])
    name = names.get(key, key)
    return ConceptShown(
        code=key if key != name else None,
        concept=name,
        n_students=len(group),
        n_answers=answers,
        mean=_shown(pooled.mean),
        ci=_interval(pooled),
        median=_shown(at.median),
        q1=_shown(at.q1),
        q3=_shown(at.q3),
        share_mastered=ShareMastered(p=_shown(share.p), ci=(_shown(share.low), _shown(share.high))),
        verdict=verdict(pooled.low, pooled.high, TARGET, len(group), answers),
        blocked_by=_blocking(group, names),
    )


def _blocking(group: Sequence[Concept], names: Mapping[str, str]) -> list[str]:
    """The prerequisites that are weak for a third of these students, and two at least."""
    counts = Counter(need for each in group for need in each.unmet)
    least = max(FEWEST_BLOCKED, BLOCKING_SHARE * len(group))
    common = sorted((-count, need) for need, count in counts.items() if count >= least)
    return [names.get(need, need) for _, need in common[:MOST_BLOCKING]]


def _bands(masteries: Sequence[float], students: int) -> Bands:
    mastered = sum(each >= TARGET for each in masteries)
    struggling = sum(each < DEVELOPING for each in masteries)
    return Bands(
        mastered=mastered,
        developing=len(masteries) - mastered - struggling,
        struggling=struggling,
        unknown=students - len(masteries),
    )


def _interval(pooled: Pooled) -> tuple[float, float]:
    return _shown(pooled.low), _shown(pooled.high)


def _shown(value: float) -> float:
    return round(value, 4)


__all__ = ["ENOUGH_STUDENTS", "MOST_CONCEPTS", "TARGET", "by_concept", "grown", "overall"]
