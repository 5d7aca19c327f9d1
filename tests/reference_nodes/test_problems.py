"""Problems: right answers are right, wrong ones wrong, and everything can be made again."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import isclose, sqrt

import pytest

from reference_nodes.curriculum.graph import load
from reference_nodes.problems.drafts import LEVELS, Level
from reference_nodes.problems.maker import NoSuchProblemError, Problem, make, remake
from reference_nodes.problems.templates import ALL

pytestmark = pytest.mark.requirement("nodes-problems")

SEEDS = range(200)
FEWEST_DIFFERENT = 20

kinds = pytest.mark.parametrize(("name", "level"), list(product(ALL, LEVELS)))


def problems(name: str, level: Level) -> Iterator[Problem]:
    return (make(name, level, seed) for seed in SEEDS)


def test_there_are_at_least_ten_templates_for_concepts_of_the_curriculum() -> None:
    """Each tied to the main code of a concept."""
    graph = load()
    assert len(ALL) >= 10
    assert {template.code for template in ALL.values()} <= set(graph.concepts)


@kinds
def test_every_answer_passes_and_every_other_choice_fails(name: str, level: Level) -> None:
    """200 seeds of each template and level against the checker, which only sees the question."""
    failed = []
    for problem in problems(name, level):
        verdicts = {choice: problem.is_right(choice) for choice in problem.choices}
        verdicts.setdefault(problem.answer, problem.is_right(problem.answer))
        if {choice for choice, right in verdicts.items() if right} != {problem.answer}:
            failed.append((problem.statement, verdicts))
    assert failed == []


@kinds
def test_choices_are_different_and_wrong_ones_have_a_named_cause(name: str, level: Level) -> None:
    """A wrong choice betrays a misconception; most problems have at least three choices."""
    with_choices = 0
    for problem in problems(name, level):
        assert len(set(problem.choices)) == len(problem.choices)
        if problem.choices:
            with_choices += 1
            assert set(problem.misconceptions) == set(problem.choices) - {problem.answer}
            assert all(problem.misconceptions.values())
    assert with_choices >= 0.9 * len(SEEDS)


@kinds
def test_a_template_knows_enough_different_problems(name: str, level: Level) -> None:
    """The pool of two dice is the smallest."""
    assert len({problem.statement for problem in problems(name, level)}) >= FEWEST_DIFFERENT


@kinds
def test_a_problem_is_made_again_from_its_id(name: str, level: Level) -> None:
    """Template, level and seed are all there is to it."""
    problem = make(name, level, 12345)
    assert remake(problem.problem_id) == problem
    assert make(name, level, 12346) != problem


@pytest.mark.parametrize(
    "problem_id",
    ["", "linear_equation", "linear_equation.4.1", "linear_equation.1.-1", "no_such.1.1",
     "linear_equation.1.", "linear_equation.1.x", "linear_equation.1.²"],
)  # fmt: skip
def test_an_id_that_names_no_problem_is_refused(problem_id: str) -> None:
    """Nothing is invented for it."""
    with pytest.raises(NoSuchProblemError):
        remake(problem_id)


def test_problems_get_harder_with_the_level() -> None:
    """The author's difficulty rises within each template and stays inside 0 and 1."""
    for template in ALL.values():
        low, middle, high = template.difficulty
        assert 0 < low < middle < high < 1


# Oracles of another kind: floating point on the printed statement, and small facts known by heart.


def printed(problem: Problem) -> list[str]:
    return re.findall(r"\$([^$]+)\$", problem.statement)


def in_python(text: str) -> str:
    text = re.sub(r"√(\d+)", r"sqrt(\1)", text.replace("^", "**"))
    return re.sub(r"(?<=[0-9xy)])\s*(?=[xy(s])", "*", text).replace("sq*rt", "sqrt")


def floating(text: str, **letters: float) -> float:
    value = eval(in_python(text), {"sqrt": sqrt, "__builtins__": {}}, letters)  # noqa: S307 -- the oracle reads our own problems only
    return float(value)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "name", ["linear_equation", "simultaneous_equations", "quadratic_equation"]
)
def test_printed_equations_hold_in_floating_point(name: str, level: Level) -> None:
    """What the student reads is what the answer solves."""
    for problem in problems(name, level):
        parts = [part.split("=")[-1] for part in problem.answer.split(", ")]
        values = [floating(part) for part in parts]
        points = [{"x": v} for v in values]
        if name == "simultaneous_equations":
            points = [{"x": values[0], "y": values[1]}]
        for equation, point in product(printed(problem), points):
            left, right = (floating(side, **point) for side in equation.split("="))
            assert isclose(left, right, abs_tol=1e-6), problem.statement


@pytest.mark.parametrize("level", LEVELS)
def test_printed_extremes_hold_on_a_fine_grid(level: Level) -> None:
    """No value on the interval lies outside the answer, and both are reached."""
    for problem in problems("quadratic_extremes", level):
        interval, formula = printed(problem)
        low, high = map(int, interval.split(" ≤ x ≤ "))
        largest, least = (float(Fraction(part)) for part in problem.answer.split(", "))
        grid = [low + (high - low) * i / 200 for i in range(201)]
        grid += [low + i / 2 for i in range(2 * (high - low) + 1)]
        heights = [floating(formula.removeprefix("y="), x=x) for x in grid]
        assert isclose(max(heights), largest, abs_tol=1e-6), problem.statement
        assert isclose(min(heights), least, abs_tol=1e-6), problem.statement


@pytest.mark.parametrize("level", LEVELS)
def test_printed_radicals_hold_in_floating_point(level: Level) -> None:
    """The simplified form has the value of the printed one."""
    for problem in problems("radical_sums", level):
        (expression,) = printed(problem)
        assert isclose(floating(expression), floating(problem.answer), abs_tol=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_printed_factorisations_expand_to_the_question(level: Level) -> None:
    """At more points than a quadratic has freedoms."""
    for problem in problems("factorisation", level):
        (expanded,) = printed(problem)
        for x in (-3.0, -1.0, 0.5, 2.0, 7.0):
            assert isclose(floating(expanded, x=x), floating(problem.answer, x=x), abs_tol=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_roots_and_coefficients_agree_with_the_roots_themselves(level: Level) -> None:
    """Sum, sum of squares, sum of inverses, from roots in floating point."""
    for problem in problems("roots_and_coefficients", level):
        curve = printed(problem)[0].removesuffix("=0")
        c = floating(curve, x=0.0)
        a = (floating(curve, x=1.0) + floating(curve, x=-1.0)) / 2 - c
        b = floating(curve, x=1.0) - a - c
        r, s = ((-b + sign * sqrt(b * b - 4 * a * c)) / (2 * a) for sign in (1, -1))
        known = (r + s, r * r + s * s, 1 / r + 1 / s)[level - 1]
        assert isclose(float(Fraction(problem.answer)), known, abs_tol=1e-6), problem.statement


def test_an_expanded_or_half_factored_polynomial_is_no_factorisation() -> None:
    """It has the right value and is still not what was asked."""
    problem = next(p for p in problems("factorisation", 3) if not p.answer.endswith("^2"))
    (expanded,) = printed(problem)
    assert not problem.is_right(expanded)
    assert not problem.is_right(f"({expanded})")
    halves = [c for c, why in problem.misconceptions.items() if why.startswith("공통인수를 끝까지")]
    assert not any(map(problem.is_right, halves))


def test_an_unsimplified_radical_is_not_simplified() -> None:
    """√12 is not 2√3 when simplifying is the question."""
    problem = next(p for p in problems("radical_sums", 1) if p.answer.count("√") == 1)
    assert not problem.is_right(printed(problem)[0])
    assert problem.is_right(problem.answer.replace("√", "sqrt(") + ")")


@pytest.mark.parametrize(
    ("name", "retyped"),
    [
        ("quadratic_equation", lambda text: "x=" + " 또는 x=".join(reversed(text.split(", ")))),
        ("simultaneous_equations", lambda text: ", ".join(reversed(text.split(", ")))),
        ("linear_function", lambda text: text.removeprefix("y=").replace("x", " x ")),
        ("linear_equation", lambda text: f"x = {text}.0"),
    ],
)
def test_other_ways_of_writing_the_answer_are_right_too(name: str, retyped: object) -> None:
    """Order, names of unknowns, blanks, decimals."""
    assert callable(retyped)
    for seed in range(20):
        problem = make(name, 1, seed)
        assert problem.is_right(retyped(problem.answer)), problem.answer


@pytest.mark.parametrize("text", ["", "모름", "__import__('os')", "1/0", "x", "1, 2, 3", "9" * 300])
@kinds
def test_nonsense_is_never_right(name: str, level: Level, text: str) -> None:
    """Nor is it an error."""
    assert not make(name, level, 7).is_right(text)
