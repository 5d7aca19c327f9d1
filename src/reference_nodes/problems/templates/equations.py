"""Linear equations in one and in two unknowns."""

from fractions import Fraction
from functools import partial
from random import Random

from reference_nodes.problems.checks import solves
from reference_nodes.problems.drafts import (
    Draft,
    Level,
    Slip,
    Template,
    nonzero,
    number,
    polynomial,
)

_Sides = tuple[int, int, int, int]  # ax + b = cx + d


def linear_equation(random: Random, level: Level) -> Draft:
    """One unknown: one-sided, on both sides, with denominators; the solution is whole."""
    solution = nonzero(random, -9, 9)
    if level == 3:  # noqa: PLR2004 -- the third level
        return _with_denominators(random, solution)
    a = nonzero(random, -9, 9)
    c = 0 if level == 1 else random.choice([n for n in range(-9, 10) if n not in {0, a, -a}])
    b = nonzero(random, -12, 12)
    sides = (a, b, c, a * solution + b - c * solution)
    text = f"{polynomial(a, b)}={polynomial(c, sides[3])}"
    return _linear(text, solution, _moving_slips(sides))


def _linear(text: str, solution: int, slips: tuple[Slip, ...]) -> Draft:
    reversed_sign = Slip(number(-solution), "답의 부호를 반대로 씀")
    return Draft(
        statement=f"다음 일차방정식을 풀어라: ${text}$",
        answer=number(solution),
        holds=partial(solves, (text,)),
        slips=(*slips, reversed_sign),
    )


def _moving_slips(sides: _Sides) -> tuple[Slip, ...]:
    a, b, c, d = sides
    return (
        Slip(_quotient(d + b, a - c), "상수항을 이항할 때 부호를 바꾸지 않음"),
        Slip(_quotient(d - b, a + c), "미지수 항을 이항할 때 부호를 바꾸지 않음"),
        Slip(number(d - b), "미지수의 계수로 나누지 않음"),
    )


def _with_denominators(random: Random, solution: int) -> Draft:
    m, n = random.sample(range(2, 6), 2)
    c = random.choice([factor for factor in (-3, -2, -1, 1, 2, 3) if n != factor * m])
    height = nonzero(random, -4, 4)
    p, d = m * height - solution, n * height - c * solution
    text = f"({polynomial(1, p)})/{m}=({polynomial(c, d)})/{n}"
    return _linear(text, solution, _clearing_slips((n, p, m * c, d), (m, n)))


def _clearing_slips(multiplied: _Sides, denominators: tuple[int, int]) -> tuple[Slip, ...]:
    a, p, c, d = multiplied
    m, n = denominators
    return (
        Slip(_quotient(d - p, a - c), "분모를 없앨 때 상수항에는 곱하지 않음"),
        Slip(_quotient(d - p, 1 - c // m), "분모를 곱하지 않고 지움"),
        Slip(_quotient(m * d + n * p, a - c), "상수항을 이항할 때 부호를 바꾸지 않음"),
    )


def _quotient(above: int, below: int) -> str:
    return number(Fraction(above, below)) if below else number(above)


def simultaneous_equations(random: Random, level: Level) -> Draft:
    """Two unknowns: unit coefficients first, then up to 4, then up to 9."""
    x, y = nonzero(random, -7, 7), nonzero(random, -7, 7)
    (a, b), (c, d) = _independent_rows(random, level)
    texts = (_row(a, b, a * x + b * y), _row(c, d, c * x + d * y))
    return Draft(
        statement=f"다음 연립방정식을 풀어라: ${texts[0]}$, ${texts[1]}$",
        answer=_pair(x, y),
        holds=partial(solves, texts),
        slips=(
            Slip(_pair(y, x), "두 미지수의 값을 바꾸어 씀"),
            Slip(_pair(x + b, y - a), "첫째 식만 만족하는 값을 씀"),
            Slip(_pair(x, -y), "대입한 뒤 y의 부호를 틀림"),
            Slip(_pair(-x, y), "식을 더하고 뺄 때 x의 부호를 틀림"),
        ),
    )


def _independent_rows(random: Random, level: Level) -> tuple[tuple[int, int], tuple[int, int]]:
    low, high = ((1, 3), (1, 4), (2, 9))[level - 1]
    while True:
        a, c = random.randint(low, high), random.randint(low, high)
        b, d = nonzero(random, -high, high), nonzero(random, -high, high)
        if level == 1:
            d = random.choice((b, -b))
        if a * d != b * c and min(abs(b), abs(d)) >= low:
            return (a, b), (c, d)


def _row(a: int, b: int, total: int) -> str:
    sign = "+" if b > 0 else "-"
    return f"{polynomial(a, 0)}{sign}{polynomial(abs(b), 0).replace('x', 'y')}={total}"


def _pair(x: int, y: int) -> str:
    return f"x={x}, y={y}"


TEMPLATES = (
    Template("linear_equation", "9수02-04", (0.25, 0.4, 0.6), linear_equation),
    Template("simultaneous_equations", "9수02-13", (0.35, 0.5, 0.65), simultaneous_equations),
)
