"""Plans: what goes in, in which order, how long, and what each step says."""

import random
from itertools import pairwise

import pytest

from reference_nodes.curriculum.graph import Concept, Edge, Graph, load
from reference_nodes.paths.planner import DEPTH, READY_FROM, plan
from reference_nodes.paths.reviews import mixed_reviews
from reference_nodes.paths.steps import Goal, Plan, Student

pytestmark = pytest.mark.requirement("nodes-paths")

GOAL = "9수02-20"
FACTORS, RADICALS, LINEAR = "9수02-19", "9수01-10", "9수02-04"


def planned(
    goals: dict[str, float], *, days: int = 365, graph: Graph | None = None, **known: object
) -> Plan:
    student = Student(**{"minutes_per_day": 600.0, **known})  # type: ignore[arg-type]
    wanted = [Goal(code, target) for code, target in goals.items()]
    return plan(wanted, student, graph or load(), days)


def practised(made: Plan) -> list[str]:
    return [step.code for step in made.steps if step.activity == "practice"]


def test_weak_prerequisites_come_before_the_goal() -> None:
    """Factorisation at 0.40 is practised before the quadratic equation that needs it."""
    made = planned({GOAL: 0.85}, mastery={GOAL: 0.5, FACTORS: 0.4, LINEAR: 0.9})
    assert practised(made) == [FACTORS, GOAL]


def test_mastered_prerequisites_and_what_stands_behind_them_are_left_alone() -> None:
    """The walk back stops at 0.70, though something weak lies further behind."""
    behind = load().prerequisites(FACTORS)[0]
    known = {GOAL: 0.5, FACTORS: READY_FROM, behind: 0.1}
    assert behind not in load().ancestors(GOAL, 1)
    assert practised(planned({GOAL: 0.85}, mastery=known)) == [GOAL]


def test_prerequisites_never_answered_are_passed_through_but_not_planned() -> None:
    """Nothing is known against them; a weak one behind them is found all the same."""
    behind = load().prerequisites(FACTORS)[0]
    made = planned({GOAL: 0.85}, mastery={GOAL: 0.5, behind: 0.3})
    assert practised(made) == [behind, GOAL]


def test_the_walk_back_ends_after_three_steps() -> None:
    """A fourth prerequisite in a row is not looked at."""
    codes = [f"9수02-0{n}" for n in range(1, 7)]
    chain = Graph(
        Concept(code, f"개념{i}", f"c{i}", 9, "변화와 관계", "단원",
                (Edge(codes[i - 1], "까닭"),) if i else ())
        for i, code in enumerate(codes)
    )  # fmt: skip
    made = planned({codes[5]: 0.85}, graph=chain, mastery=dict.fromkeys(codes, 0.3))
    assert practised(made) == codes[5 - DEPTH :]


def test_among_ready_concepts_the_largest_gain_a_minute_goes_first() -> None:
    """A small prerequisite of two goals is worth more than a larger gap that nothing waits for."""
    goals = {"9수02-20": 0.85, "9수02-21": 0.85, "9수04-06": 0.85}
    known = {"9수02-20": 0.65, "9수02-21": 0.65, "9수04-06": 0.62, FACTORS: 0.62}
    made = planned(goals, mastery=known)
    assert practised(made)[0] == FACTORS


@pytest.mark.parametrize("seed", range(30))
def test_no_concept_is_planned_before_one_it_needs(seed: int) -> None:
    """Whatever the masteries: also where the prerequisite is several steps back."""
    chance = random.Random(seed)  # noqa: S311 -- a repeatable example
    graph = load()
    known = {code: chance.random() for code in graph.concepts if chance.random() < 0.7}
    goals = dict.fromkeys(chance.sample(list(graph.concepts), 8), 0.9)
    order = practised(planned(goals, mastery=known))
    assert len(order) == len(set(order))
    for i, code in enumerate(order):
        assert not set(order[i + 1 :]) & set(graph.ancestors(code, 20))


def test_a_review_precedes_practice_only_under_sixty_percent() -> None:
    """At 0.60 and above practice alone will do."""
    low = planned({GOAL: 0.85}, mastery={GOAL: 0.59})
    high = planned({GOAL: 0.85}, mastery={GOAL: 0.60})
    assert [step.activity for step in low.steps] == ["review_concept", "practice"]
    assert [step.activity for step in high.steps] == ["practice"]


@pytest.mark.parametrize(
    ("mastery", "count"), [(0.849, 5), (0.75, 8), (0.6, 12), (0.35, 20), (0.05, 20)]
)
def test_the_number_of_problems_follows_the_gap(mastery: float, count: int) -> None:
    """From 5 for a hair's breadth to 20 for half the scale and more."""
    assert planned({GOAL: 0.85}, mastery={GOAL: mastery}).steps[-1].problems == count


def test_practice_is_as_hard_as_can_be_met_four_times_in_five() -> None:
    """The item has ability - logit(0.80): at a mastery of 0.80 an average item, written as 0.5."""
    at_eighty = planned({GOAL: 0.95}, mastery={GOAL: 0.8}).steps[-1]
    by_ability = planned({GOAL: 0.95}, mastery={GOAL: 0.8}, ability={GOAL: 0.0}).steps[-1]
    assert at_eighty.difficulty == 0.5
    assert by_ability.difficulty == 0.2
    assert planned({GOAL: 0.95}, mastery={GOAL: 0.0}).steps[-1].difficulty == pytest.approx(0.01)


def test_goals_already_reached_are_left_out() -> None:
    """And a plan without open goals is empty."""
    made = planned({GOAL: 0.8, LINEAR: 0.8}, mastery={GOAL: 0.8, LINEAR: 0.5})
    assert practised(made) == [LINEAR]
    assert planned({GOAL: 0.8}, mastery={GOAL: 0.8}).steps == ()


def test_every_third_step_reviews_what_is_due() -> None:
    """Until nothing is due any more; concepts of the plan itself are not reviewed besides."""
    goals = dict.fromkeys(["9수02-04", "9수03-15", "9수04-06", "9수04-01"], 0.9)
    due = ["9수01-01", "9수03-06", "9수03-05", "9수03-08", "9수04-02", "9수02-04"]
    made = planned(goals, mastery=dict.fromkeys(goals, 0.3), due=due)
    reviews = [i for i, step in enumerate(made.steps, 1) if step.activity == "mixed_review"]
    reviewed = [
        code for step in made.steps if step.activity == "mixed_review" for code in step.codes
    ]
    assert reviews == [3, 6]
    assert set(reviewed) <= set(due) - {"9수02-04"}


def test_a_mixed_review_prefers_what_exercises_other_due_concepts() -> None:
    """The quadratic equation stands for factorisation and radicals, which are due as well."""
    due = [FACTORS, RADICALS, GOAL, "9수04-01"]
    (review,) = mixed_reviews(due, load(), 180)
    assert review.codes == (GOAL, "9수04-01")
    assert review.problems == 4
    assert "2개" in review.why


def test_what_does_not_fit_the_days_is_cut_from_the_end_and_named() -> None:
    """Steps and cut steps together are the whole plan; what stays fits the time."""
    goals = dict.fromkeys(["9수02-04", "9수03-15", "9수04-06"], 0.9)
    known = dict.fromkeys(goals, 0.3)
    whole = planned(goals, mastery=known)
    short = planned(goals, mastery=known, days=5, minutes_per_day=20.0)
    assert short.seconds_available == 5 * 20 * 60
    assert sum(step.seconds for step in short.steps) <= short.seconds_available
    assert short.cut
    assert short.steps + short.cut == whole.steps
    assert whole.cut == ()


def test_the_first_step_stays_however_short_the_time() -> None:
    """A plan for one busy day is not empty."""
    made = planned({GOAL: 0.85}, mastery={GOAL: 0.3}, days=1, minutes_per_day=1.0)
    assert [step.activity for step in made.steps] == ["review_concept"]
    assert len(made.cut) == 1


def test_each_step_says_why_with_the_numbers() -> None:
    """Prerequisite of what and for which reason, mastery, number of answers, target."""
    made = planned(
        {GOAL: 0.85}, mastery={GOAL: 0.65, FACTORS: 0.48}, answers={GOAL: 12, FACTORS: 6}
    )
    (reason,) = (edge.reason for edge in load().edges(GOAL) if edge.code == FACTORS)
    review, practice, goal = made.steps
    assert review.why == f"이차방정식의 선수 개념 ({reason}), 숙달도 0.48 (n=6)"
    assert practice.why.startswith(review.why)
    assert "정답률 0.80" in practice.why
    assert goal.why.startswith("목표 개념, 숙달도 0.65 (n=12), 목표 0.85")


def test_a_goal_without_answers_is_planned_and_says_so() -> None:
    """Nothing known is taken for half."""
    made = planned({GOAL: 0.85})
    assert [step.activity for step in made.steps] == ["review_concept", "practice"]
    assert "자료 없음" in made.steps[0].why


def test_a_foreign_concept_is_planned_by_its_own_name() -> None:
    """It has no prerequisites and keeps its string."""
    made = planned({"skill-70": 0.85}, mastery={"skill-70": 0.4})
    assert [(step.code, step.concept) for step in made.steps] == [("skill-70", "skill-70")] * 2


def test_the_same_question_has_the_same_plan_in_any_order() -> None:
    """Goals and due concepts may come shuffled."""
    goals = dict.fromkeys(["9수02-04", "9수03-15", "9수04-06"], 0.9)
    known = dict.fromkeys(goals, 0.4)
    due = ["9수01-01", "9수03-06", "9수03-05"]
    plans = [
        planned({code: goals[code] for code in order}, mastery=known, due=tuple(dues))
        for order, dues in ((list(goals), due), (list(goals)[::-1], due[::-1]))
    ]
    assert all(first == second for first, second in pairwise(plans))
