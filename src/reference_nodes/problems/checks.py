"""Whether an answer is right, found by substitution into the question as it is printed.

Nothing here knows how a template arrived at its answer: equations are read back from their text,
chances are counted case by case, extremes are looked for along the interval.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from statistics import median
from typing import TypeVar

from reference_nodes.problems.answers import UnreadableAnswerError, read_answer
from reference_nodes.problems.exact import Exact, InexactError, split_square

_FACTORED = re.compile(r"[-+]?[0-9]*(?:\([^()]+\)(?:\^2)?)+")
_SIMPLE_RADICAL = re.compile(r"[-+]?[0-9]*√([0-9]+)|[-+]?[0-9]+")
_PAIR = 2

Outcome = TypeVar("Outcome")


def _read(text: str) -> tuple[Exact, ...] | None:
    try:
        return read_answer(text)
    except UnreadableAnswerError:
        return None


def _numbers(text: str, count: int) -> tuple[Exact, ...] | None:
    values = _read(text)
    good = values and len(values) == count and all(value.is_constant for value in values)
    return values if good else None


def _expression(text: str) -> Exact:
    (value,) = read_answer(text)
    return value


def _balanced(equation: str, values: Sequence[Exact]) -> bool:
    left, right = (_expression(side).at(*values) for side in equation.split("="))
    return left == right


def solves(equations: Sequence[str], text: str) -> bool:
    """Whether the values, x then y, satisfy every equation; one value for each unknown."""
    values = _numbers(text, len(equations))
    return values is not None and all(_balanced(equation, values) for equation in equations)


def gives_both_roots(equation: str, text: str) -> bool:
    """Whether the text is two different numbers that both satisfy the quadratic equation."""
    values = _numbers(text, _PAIR)
    if values is None or values[0] == values[1]:
        return False
    return all(_balanced(equation, [value]) for value in values)


def factorises(expanded: str, text: str) -> bool:
    """Whether the text is a product, factored to the end, equal to the expanded polynomial."""
    plain = text.replace(" ", "")
    value = _read(plain)
    if value is None or not _FACTORED.fullmatch(plain):
        return False
    factors = [_expression(part) for part in re.findall(r"\(([^()]+)\)", plain)]
    return all(map(_primitive, factors)) and value == (_expression(expanded),)


def _primitive(factor: Exact) -> bool:
    sizes = [c.numerator if c.denominator == 1 else 0 for c in factor.terms.values()]
    return _degree(factor) == 1 and all(sizes) and gcd(*sizes) == 1


def _degree(expression: Exact) -> int:
    return max((i + j for i, j, _ in expression.terms), default=0)


def gives_extremes(formula: str, low: int, high: int, text: str) -> bool:
    """Whether the text is the largest, then the least value of the formula on [low, high].

    Looks at every quarter: a vertex of a quadratic with the leading coefficient ±1 or ±2 and whole
    coefficients lies on one.
    """
    values = _numbers(text, _PAIR)
    if values is None:
        return False
    factors = {power: factor for (power, _, _), factor in _expression(formula).terms.items()}
    points = [Fraction(quarter, 4) for quarter in range(4 * low, 4 * high + 1)]
    heights = [sum(f * x**power for power, f in factors.items()) for x in points]
    return values == (Exact.of(max(heights)), Exact.of(min(heights)))


def passes_through(points: Iterable[tuple[int, int]], text: str) -> bool:
    """Whether the text is an expression in x of the first degree that takes these values."""
    read = _read(text)
    if read is None or len(read) != 1 or any(i > 1 or j for i, j, _ in read[0].terms):
        return False
    return all(read[0].at(Exact.of(x)) == Exact.of(y) for x, y in points)


@dataclass(frozen=True)
class Proportion:
    """A pair of values, one value of the next pair, and whether y/x or x·y stays the same."""

    x: int
    y: int
    other: int
    inverse: bool


def keeps_proportion(question: Proportion, text: str) -> bool:
    """Whether the number completes the pair (other, ?) in the stated proportion."""
    values = _numbers(text, 1)
    if values is None:
        return False
    x, y, other = (Exact.of(n) for n in (question.x, question.y, question.other))
    return values[0] * other == x * y if question.inverse else values[0] * x == y * other


def completes_right_triangle(sides: tuple[int, int], hypotenuse: int | None, text: str) -> bool:
    """Whether the number is the missing side: the hypotenuse if None, else the leg sides[1]."""
    values = _numbers(text, 1)
    if values is None or not _above_zero(values[0]):
        return False
    square = values[0] ** 2
    first, second = (Exact.of(side * side) for side in sides)
    if hypotenuse is None:
        return square == first + second
    return square + first == Exact.of(hypotenuse * hypotenuse)


def _above_zero(value: Exact) -> bool:
    return bool(value.terms) and all(factor > 0 for factor in value.terms.values())


def simplifies(expression: str, text: str) -> bool:
    """Whether the text is the expression's value as one radical with no square left inside."""
    plain = text.replace(" ", "").replace("sqrt(", "√").rstrip(")")
    shape = _SIMPLE_RADICAL.fullmatch(plain)
    if shape is None or (shape[1] and split_square(int(shape[1])) != (1, int(shape[1]))):
        return False
    return _read(plain) == (_expression(expression),)


def is_chance(outcomes: Sequence[Outcome], event: Callable[[Outcome], bool], text: str) -> bool:
    """Whether the number is the share of equally likely outcomes that belong to the event."""
    values = _numbers(text, 1)
    share = Fraction(sum(map(event, outcomes)), len(outcomes))
    return values == (Exact.of(share),)


def is_median(data: Sequence[int], text: str) -> bool:
    """Whether the number is the median of the data."""
    return _numbers(text, 1) == (Exact.of(Fraction(median(map(Fraction, data)))),)


def is_median_with_mean(known: Sequence[int], mean: int, text: str) -> bool:
    """Whether the number is the median once one value is added that makes the mean."""
    missing = mean * (len(known) + 1) - sum(known)
    return is_median([*known, missing], text)


def is_of_roots(equation: str, formula: Callable[[Exact, Exact], Exact], text: str) -> bool:
    """Whether the number is the formula's value at the two roots of a quadratic equation in x."""
    values = _numbers(text, 1)
    if values is None:
        return False
    curve = _expression(equation.split("=", maxsplit=1)[0])
    try:
        return values[0] == formula(*_roots(curve))
    except InexactError:
        return False


def _roots(curve: Exact) -> tuple[Exact, Exact]:
    a, b, c = (curve.terms.get((power, 0, 1), Fraction(0)) for power in (2, 1, 0))
    spread, twice = Exact.of(b * b - 4 * a * c).root(), Exact.of(2 * a)
    return (Exact.of(-b) + spread) / twice, (Exact.of(-b) - spread) / twice
