"""Planned paths against simpler rules, on simulated learners.

Learning is gated by prerequisites here by construction: a regression test of the planner, not
evidence about pupils. The setting is one in which prerequisites matter much and the problems
suffice for the walk back. In others practising the goals only comes out ahead: at a fifth of the
full rate behind a gap (SLOWED = 0.2) .94 against the plan's .87, other things equal.
"""

from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from statistics import fmean

import pytest

from reference_nodes.curriculum.graph import load
from reference_nodes.paths.planner import ordered_work
from reference_nodes.paths.steps import Goal, Student

pytestmark = pytest.mark.requirement("nodes-paths")

LEARNERS = 200
PROBLEMS = 120
AT_A_TIME = 6
TARGET = 0.85
RATE = 0.15
SLOWED = 0.05
READY = 0.70
GOALS = ("9수02-20", "9수02-21")

Mastery = Mapping[str, float]
Choice = Callable[[Mastery, Random], str]


@cache
def field() -> tuple[str, ...]:
    """Goals and their prerequisites three steps back."""
    needs = [code for goal in GOALS for code in load().ancestors(goal)]
    return tuple(dict.fromkeys((*GOALS, *needs)))


def learner(random: Random) -> dict[str, float]:
    level = random.gauss(0.55, 0.12)
    return {code: min(0.95, max(0.05, random.gauss(level, 0.2))) for code in field()}


def practise(mastery: dict[str, float], code: str) -> None:
    """One problem closes RATE of the gap, a twentieth of that behind an unmet prerequisite."""
    needs = [need for need in load().prerequisites(code) if need in mastery]
    met = all(mastery[need] >= READY for need in needs)
    mastery[code] += RATE * (1 if met else SLOWED) * (1 - mastery[code])


def by_plan(mastery: Mastery, _: Random) -> str:
    goals = [Goal(code, TARGET) for code in GOALS]
    ordered = ordered_work(goals, Student(mastery=mastery), load())
    return ordered[0].code if ordered else min(GOALS, key=mastery.__getitem__)


def goal_only(mastery: Mastery, _: Random) -> str:
    return min(GOALS, key=mastery.__getitem__)


def weakest_first(mastery: Mastery, _: Random) -> str:
    return min(mastery, key=mastery.__getitem__)


def at_random(mastery: Mastery, random: Random) -> str:
    return random.choice(sorted(mastery))


def reached(choose: Choice) -> float:
    """Mean mastery of the goals after the problems, over all learners."""
    means = []
    for seed in range(LEARNERS):
        random = Random(seed)  # noqa: S311 -- repeatable learners
        mastery = learner(random)
        for _ in range(PROBLEMS // AT_A_TIME):
            code = choose(mastery, random)
            for _ in range(AT_A_TIME):
                practise(mastery, code)
        means.append(fmean(mastery[goal] for goal in GOALS))
    return fmean(means)


def test_a_planned_path_brings_more_than_simpler_rules() -> None:
    """Prerequisites first, then gain: ahead of goal-only, weakest-first and random practice."""
    planned = reached(by_plan)
    others = {rule.__name__: reached(rule) for rule in (goal_only, weakest_first, at_random)}
    assert {name: score for name, score in others.items() if planned < score + 0.02} == {}, planned
