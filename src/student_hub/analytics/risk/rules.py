"""The rules: which reasons hold for a student, given the class they are in."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from student_hub.analytics import reasons
from student_hub.analytics.learners import Concept, Learner
from student_hub.analytics.reasons import Reason
from student_hub.analytics.statistics.growth import chance_of_fall
from student_hub.analytics.statistics.summary import quartiles

STRUGGLE_UNDER, STRUGGLE_ANSWERS = 0.70, 5
WHEEL_UNDER, WHEEL_ANSWERS = 0.60, 10
PREREQ_UNDER, PREREQ_ANSWERS = 0.70, 3
IDLE_DAYS, IDLE_GAPS = 7, 3
FALL_CHANCE = 0.8
RAPID_SHARE, RAPID_ANSWERS = 0.2, 10
UNIT_DAYS = 14
UNIT_SHARE = 0.2
UNIT_STUDENTS = 2
MOST_IN_UNIT = 8
BEHIND_CLASS = 10
BEHIND_SHARE = 0.5
MOST_OF_A_KIND = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """The class that a student is judged in. `seen_low` is its lowest decile, if it has one."""

    today: date
    unit: AbstractSet[str]
    names: Mapping[str, str]
    seen_low: float | None = None
    seen_median: float | None = None


def setting_of(
    learners: Sequence[Learner], names: Mapping[str, str], now: datetime, today: date
) -> Setting:
    """What the class works on, and how far it usually is."""
    seen = sorted(at.now.seen for at in learners if at.now is not None and at.now.seen)
    if len(seen) < BEHIND_CLASS:
        return Setting(today, current_unit(learners, now), names)
    low, median = seen[len(seen) // 10], quartiles(seen).median
    return Setting(today, current_unit(learners, now), names, low, median)


def current_unit(learners: Sequence[Learner], now: datetime) -> frozenset[str]:
    """The concepts that at least a fifth of the students, and two, answered on in two weeks.

    At most eight, those of most students.
    """
    since = now - timedelta(days=UNIT_DAYS)
    with_data = [each.concepts for each in learners if each.concepts]
    counts = Counter(
        key
        for concepts in with_data
        for key, at in concepts.items()
        if at.last_at is not None and at.last_at >= since
    )
    least = max(UNIT_STUDENTS, UNIT_SHARE * len(with_data))
    common = sorted((-count, key) for key, count in counts.items() if count >= least)
    return frozenset(key for _, key in common[:MOST_IN_UNIT])


def reasons_of(learner: Learner, setting: Setting) -> list[Reason]:
    """All that hold, the most urgent first; of each kind the two worst concepts at most."""
    concepts = learner.concepts or {}
    found = [
        *_worst(_struggles(concepts, setting)),
        *_worst(_spins(concepts, setting)),
        *_worst(_prerequisites(concepts, setting)),
        *_decline(learner),
        *_idle(learner, setting),
        *_rapid(learner),
        *_behind(learner, setting),
    ]
    return sorted(found, key=lambda reason: reasons.URGENCY[reason.code])


def _struggles(concepts: Mapping[str, Concept], setting: Setting) -> Iterator[tuple[float, Reason]]:
    for key in setting.unit & concepts.keys():
        at = concepts[key]
        if at.answers >= STRUGGLE_ANSWERS and at.high < STRUGGLE_UNDER:
            name = setting.names[key]
            yield at.mastery, reasons.struggle(name, at.mastery, at.low, at.high, at.answers)


def _spins(concepts: Mapping[str, Concept], setting: Setting) -> Iterator[tuple[float, Reason]]:
    for key, at in concepts.items():
        if at.answers >= WHEEL_ANSWERS and at.mastery < WHEEL_UNDER:
            yield at.mastery, reasons.wheel_spinning(setting.names[key], at.mastery, at.answers)


def _prerequisites(
    concepts: Mapping[str, Concept], setting: Setting
) -> Iterator[tuple[float, Reason]]:
    for key in setting.unit & concepts.keys():
        for needed in concepts[key].unmet:
            at = concepts.get(needed)
            if at and at.answers >= PREREQ_ANSWERS and at.mastery < PREREQ_UNDER:
                name, of = setting.names[needed], setting.names[key]
                yield at.mastery, reasons.prerequisite(name, at.mastery, at.answers, of)


def _decline(learner: Learner) -> Iterator[Reason]:
    now, then = learner.now, learner.then
    if now is None or then is None or now.belief is None or then.belief is None:
        return
    chance = chance_of_fall(then.belief, now.belief)
    if chance > FALL_CHANCE:
        yield reasons.decline(then.mastery or 0.0, now.mastery or 0.0, chance)


def _idle(learner: Learner, setting: Setting) -> Iterator[Reason]:
    habits = learner.habits
    if habits.last_day is None:
        return
    days = (setting.today - habits.last_day).days
    if days > max(IDLE_DAYS, IDLE_GAPS * (habits.usual_gap or 0.0)):
        yield reasons.idle(days, habits.usual_gap)


def _rapid(learner: Learner) -> Iterator[Reason]:
    timed, rapid = learner.habits.timed, learner.habits.rapid
    if timed >= RAPID_ANSWERS and rapid > RAPID_SHARE * timed:
        yield reasons.rapid_guess(rapid, timed)


def _behind(learner: Learner, setting: Setting) -> Iterator[Reason]:
    if setting.seen_low is None or setting.seen_median is None or learner.now is None:
        return
    seen = learner.now.seen or 0
    if seen <= setting.seen_low and seen < BEHIND_SHARE * setting.seen_median:
        yield reasons.behind(seen, setting.seen_median)


def _worst(found: Iterator[tuple[float, Reason]]) -> list[Reason]:
    worst = sorted(found, key=lambda pair: (pair[0], pair[1].text))
    return list({r.evidence["concept"]: r for _, r in reversed(worst)}.values())[::-1][
        :MOST_OF_A_KIND
    ]
