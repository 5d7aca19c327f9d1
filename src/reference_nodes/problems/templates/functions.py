"""Proportion, and the line through given points."""

from fractions import Fraction
from functools import partial
from random import Random

from reference_nodes.problems.checks import Proportion, keeps_proportion, passes_through
from reference_nodes.problems.drafts import (
    Draft,
    Level,
    Slip,
    Template,
    nonzero,
    number,
    polynomial,
)


def proportion(random: Random, level: Level) -> Draft:
    """Direct proportion, inverse proportion, inverse proportion with fractions."""
    x = random.choice((1, -1)) * random.randint(2, 9)
    other = random.choice([n for n in range(-12, 13) if n and abs(n) not in {1, abs(x)}])
    factor = nonzero(random, -9, 9)
    y = (factor * x, factor * other, factor)[level - 1]
    question = Proportion(x, y, other, inverse=level > 1)
    return Draft(
        statement=_asked(question),
        answer=number(_completed(question)),
        holds=partial(keeps_proportion, question),
        slips=_proportion_slips(question),
    )


def _asked(q: Proportion) -> str:
    kind = "반비례" if q.inverse else "정비례"
    return f"y가 x에 {kind}하고 $x={q.x}$일 때 $y={q.y}$이다. $x={q.other}$일 때 y의 값을 구하여라."


def _completed(q: Proportion) -> Fraction:
    return Fraction(q.x * q.y, q.other) if q.inverse else Fraction(q.y * q.other, q.x)


def _proportion_slips(q: Proportion) -> tuple[Slip, ...]:
    mixed = Proportion(q.x, q.y, q.other, inverse=not q.inverse)
    constant = q.x * q.y if q.inverse else Fraction(q.y, q.x)
    return (
        Slip(number(_completed(mixed)), "정비례와 반비례를 혼동함"),
        Slip(number(constant), "비례상수를 답으로 씀"),
        Slip(number(q.y + q.other - q.x), "x가 늘어난 만큼 y도 늘어난다고 봄"),
        Slip(number(-_completed(q)), "답의 부호를 반대로 씀"),
    )


def linear_function(random: Random, level: Level) -> Draft:
    """Slope and a point, then two points, then two points with a slope that is a fraction."""
    run = random.randint(1, 4) if level < 3 else random.randint(2, 5)  # noqa: PLR2004
    rise = nonzero(random, -5, 5) * run
    if level == 3:  # noqa: PLR2004 -- the third level
        rise = random.choice([n for n in range(-9, 10) if n % run])
    x, y = nonzero(random, -6, 6), random.randint(-9, 9)
    points = ((x, y), (x + run, y + rise))
    return Draft(
        statement=_line_asked(level, Fraction(rise, run), points),
        answer=_line(Fraction(rise, run), points[0]),
        holds=partial(passes_through, points),
        slips=_line_slips(Fraction(rise, run), points[0]),
    )


def _line_asked(level: Level, slope: Fraction, points: tuple[tuple[int, int], ...]) -> str:
    (x, y), (u, v) = points
    if level == 1:
        given = f"기울기 {number(slope)}, 지나는 점 ({x}, {y})"
    else:
        given = f"지나는 두 점 ({x}, {y}), ({u}, {v})"
    return f"그래프가 다음과 같은 일차함수의 식을 y=(x의 식)으로 나타내어라: {given}"


def _line(slope: Fraction, point: tuple[int, int]) -> str:
    return "y=" + polynomial(slope, point[1] - slope * point[0])


def _line_slips(slope: Fraction, point: tuple[int, int]) -> tuple[Slip, ...]:
    x, y = point
    return (
        Slip(_line(1 / slope, point), "기울기의 분자와 분모를 바꿈"),
        Slip(_line(-slope, point), "기울기의 부호를 반대로 씀"),
        Slip("y=" + polynomial(slope, y), "점의 y좌표를 y절편으로 씀"),
        Slip("y=" + polynomial(slope, y + slope * x), "상수항을 이항할 때 부호를 바꾸지 않음"),
    )


TEMPLATES = (
    Template("proportion", "9수02-07", (0.3, 0.45, 0.55), proportion),
    Template("linear_function", "9수02-15", (0.35, 0.45, 0.6), linear_function),
)
