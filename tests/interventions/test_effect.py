"""What plans changed: against matched students, never before against after alone."""

import math
from dataclasses import dataclass
from random import Random
from statistics import fmean

import asyncpg
import pytest

from planning import Room
from student_hub.interventions.ability import Compared, Course, ability_of, effect_of, t_975
from student_hub.interventions.schemas import EffectOfMany, Verdict

pytestmark = pytest.mark.requirement("intervention-effect")


NOISE = 0.5
"""The error of an ability that is read off one window's answers, in standard deviations."""


@dataclass(frozen=True)
class Learner:
    """A true ability, and what two windows of answers say of it alone."""

    first: float
    second: float

    @classmethod
    def of(cls, dice: Random, gain: float) -> "Learner":
        true = dice.gauss(0, 1)
        return cls(true + dice.gauss(0, NOISE), true + gain + dice.gauss(0, NOISE))

    @property
    def course(self) -> Course:
        """Posterior means, of a learner out of a standard normal population."""
        precision = 1 / NOISE**2
        start = precision * self.first / (1 + precision)
        both = precision * (self.first + self.second)
        return Course(start, both / (1 + 2 * precision))


def finished(dice: Random, how_many: int, gain: float) -> list[tuple[Learner, Compared]]:
    """Plans for one of the weakest fifth of a grade of fifty, whose true change is `gain`."""
    found = []
    for _ in range(how_many):
        grade = sorted((Learner.of(dice, 0) for _ in range(50)), key=lambda each: each.first)
        treated = grade.pop(dice.randrange(10))
        helped = Learner(treated.first, treated.second + gain)
        found.append((helped, Compared(helped.course, [each.course for each in grade])))
    return found


def effect(dice: Random, how_many: int, gain: float) -> EffectOfMany:
    return effect_of([compared for _, compared in finished(dice, how_many, gain)])


def test_regression_to_the_mean_is_no_effect() -> None:
    """Nobody gained: raw answers before and after say a lot, the comparison next to nothing."""
    plans = finished(Random(1), 400, 0.0)  # noqa: S311 (a seeded simulation)
    naive = fmean(learner.second - learner.first for learner, _ in plans)
    found = effect_of([compared for _, compared in plans])
    assert naive > 0.2
    assert found.difference == pytest.approx(0, abs=0.05)


def test_a_planted_effect_is_found() -> None:
    """Said to be higher; of its size the posterior shows what two windows can tell."""
    found = effect(Random(2), 200, 0.8)  # noqa: S311
    shown = 0.8 * 4 / 9
    assert found.difference_ci95 is not None
    assert found.difference_ci95[0] < shown < found.difference_ci95[1]
    assert found.verdict is Verdict.HIGHER


@pytest.mark.parametrize("gain", [0.0, 0.4])
def test_the_interval_covers_the_truth_as_often_as_it_says(gain: float) -> None:
    """In 19 of 20 simulated schools of 25 plans, give or take; matching leaves a small rest."""
    dice, covered, shown = Random(3), 0, gain * 4 / 9  # noqa: S311
    for _ in range(200):
        ci = effect(dice, 25, gain).difference_ci95
        assert ci is not None
        covered += ci[0] <= shown <= ci[1]
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.parametrize("how_many", [0, 1, 2, 9])
def test_of_few_nothing_is_said(how_many: int) -> None:
    """However large the difference looks."""
    found = effect(Random(4), how_many, 5.0)  # noqa: S311
    assert (found.n, found.verdict) == (how_many, Verdict.TOO_FEW_TO_TELL)
    assert (found.difference_ci95 is None) == (how_many < 2)


def test_without_five_to_compare_with_a_plan_is_left_out() -> None:
    """It is counted as finished, and in no figure."""
    lonely = Compared(Course(0, 1), [Course(0, 0)] * 4)
    found = effect_of([lonely] * 20)
    assert (found.finished, found.n, found.difference) == (20, 0, None)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (9, 2.2622), (30, 2.0423)],
)
def test_students_t(freedom: int, quantile: float) -> None:
    """As tables have it, to half a per cent."""
    assert t_975(freedom) == pytest.approx(quantile, rel=0.005)


def test_ability_is_the_logit_and_never_endless() -> None:
    """A mastery of 0 or 1 is held a hundredth away from it."""
    assert ability_of(0.5) == 0
    assert ability_of(0.8) == pytest.approx(math.log(4))
    assert ability_of(1.0) == pytest.approx(math.log(99))
    assert ability_of(0.0) == pytest.approx(-math.log(99))


async def test_abilities_of_the_treated_and_of_others_are_kept_at_both_ends(
    room: Room, owner: asyncpg.Connection
) -> None:
    """Of the same grade, and of nobody who may not be processed or has a plan of their own."""
    others = [room.enrol() for _ in range(6)]
    stopped, elsewhere = room.enrol(), room.enrol(grade=11)
    stop = {"state": "stopped", "reason": "요청"}
    room.http.put(f"/v1/students/{stopped}/processing", json=stop).raise_for_status()
    plan = room.create()
    await room.hub.work()
    start = await owner.fetch("SELECT student_id, treated FROM intervention_abilities")
    assert {str(row["student_id"]) for row in start} == {room.student, *others}
    assert elsewhere not in {str(row["student_id"]) for row in start}
    assert [str(row["student_id"]) for row in start if row["treated"]] == [room.student]
    room.hub.node.answers["get_mastery_level"] = {"overall": 0.9, "by_subject": {}}
    room.do(plan, "complete")
    await room.hub.work()
    ends = "SELECT count(*) FROM intervention_abilities WHERE phase = 'end'"
    assert await owner.fetchval(ends) == 7
    scope = {"school_id": "SCH001", "grade": "10"}
    found = room.http.get("/v1/interventions/effect", params=scope).json()
    assert (found["n"], found["finished"]) == (1, 1)
    assert found["difference"] == pytest.approx(0)
    assert found["verdict"] == "too_few_to_tell"


async def test_who_gets_a_plan_or_is_stopped_meanwhile_is_not_compared_with(
    room: Room, owner: asyncpg.Connection
) -> None:
    """At the end those are asked about who are still untreated, and may be processed."""
    others = [room.enrol() for _ in range(6)]
    plan = room.create()
    await room.hub.work()
    helped, stopped = others[0], others[1]
    begun = room.create(student_id=helped)
    room.do(begun, "pause")
    stop = {"state": "stopped", "reason": "요청"}
    room.http.put(f"/v1/students/{stopped}/processing", json=stop).raise_for_status()
    await room.hub.work()
    room.do(plan, "complete")
    await room.hub.work()
    rows = await owner.fetch(
        "SELECT student_id FROM intervention_abilities WHERE phase = 'end' "
        "AND intervention_id = (SELECT id FROM interventions WHERE status = 'completed')"
    )
    assert {str(row["student_id"]) for row in rows} == {room.student, *others[2:]}
    at_start = await owner.fetch(
        "SELECT student_id FROM intervention_abilities WHERE phase = 'start' AND NOT treated "
        "AND intervention_id = (SELECT id FROM interventions WHERE status = 'paused')"
    )
    assert room.student not in {str(row["student_id"]) for row in at_start}


async def test_of_few_students_a_teacher_is_shown_no_figure(room: Room) -> None:
    """Fewer than five could be known by it; of those whom they do not see there is none."""
    for _ in range(5):
        room.enrol()
    plan = room.create()
    await room.hub.work()
    room.do(plan, "complete")
    await room.hub.work()
    grant = {"kind": "class", "school_id": "SCH001", "grade": 10}
    asked = {"school_id": "SCH001", "grade": "10"}
    seen = {}
    for name in ("1반", "2반"):
        key = room.key_of("teacher", ["read"], **grant, class_name=name, relation="homeroom")
        with room.hub.client(key) as http:
            seen[name] = http.get("/v1/interventions/effect", params=asked).json()
    assert (seen["1반"]["finished"], seen["1반"]["change"]) == (1, None)
    assert seen["2반"]["finished"] == 0
    assert room.http.get("/v1/interventions/effect").status_code == 422
