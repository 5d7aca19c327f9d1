"""Factorisation, quadratic equations, roots and coefficients, extremes on an interval."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import gcd, isqrt
from random import Random

from reference_nodes.problems.checks import (
    factorises,
    gives_both_roots,
    gives_extremes,
    is_of_roots,
)
from reference_nodes.problems.drafts import (
    Draft,
    Level,
    Slip,
    Template,
    nonzero,
    number,
    polynomial,
    radical,
)
from reference_nodes.problems.exact import Exact


def factorisation(random: Random, level: Level) -> Draft:
    """k(ax+p)(cx+q): first a = c = k = 1, then a > 1, then a common factor too."""
    k = random.randint(2, 4) if level == 3 else 1  # noqa: PLR2004 -- the third level
    a, p = _primitive(random, level)
    c, q = (1, nonzero(random, -9, 9)) if level == 2 else _primitive(random, level)  # noqa: PLR2004
    expanded = polynomial(k * a * c, k * (a * q + c * p), k * p * q)
    return Draft(
        statement=f"다음 식을 끝까지 인수분해하여라: ${expanded}$",
        answer=_product(k, (a, p), (c, q)),
        holds=partial(factorises, expanded),
        slips=(
            Slip(_product(k, (a, -p), (c, -q)), "두 인수의 부호를 모두 반대로 씀"),
            Slip(_product(k, (a, q), (c, p)), "두 인수의 상수항을 바꾸어 씀"),
            Slip(_product(k, (a, -p), (c, q)), "상수항의 부호만 맞춤"),
            Slip(_product(1, (k * a, k * p), (c, q)), "공통인수를 끝까지 묶지 않음"),
            Slip(_product(1, (a, p), (c, q)), "묶어 낸 공통인수를 빠뜨림"),
        ),
    )


def _primitive(random: Random, level: Level) -> tuple[int, int]:
    highest = (1, 5, 3)[level - 1]
    a = random.randint(min(2, highest), highest) if level == 2 else random.randint(1, highest)  # noqa: PLR2004
    return a, random.choice([n for n in range(-9, 10) if n and gcd(a, n) == 1])


def _product(k: int, *factors: tuple[int, int]) -> str:
    brackets = "".join(f"({polynomial(*factor)})" for factor in sorted(factors))
    if factors[0] == factors[1]:
        brackets = f"({polynomial(*factors[0])})^2"
    return ("" if k == 1 else str(k)) + brackets


def quadratic_equation(random: Random, level: Level) -> Draft:
    """Whole roots, then a fraction among them, then roots with a radical."""
    if level == 3:  # noqa: PLR2004 -- the third level
        return _with_radicals(random)
    first, second = random.sample([n for n in range(-9, 10) if n], 2)
    a = 1 if level == 1 else random.choice([n for n in range(2, 6) if gcd(n, second) == 1])
    text = f"{polynomial(a, -(a * first + second), first * second)}=0"
    roots = (Fraction(first), Fraction(second, a))
    return _equation(text, _list(*roots), (
        Slip(_list(-roots[0], -roots[1]), "근의 부호를 반대로 씀"),
        Slip(_list(roots[0], second), "인수의 x의 계수로 나누지 않음"),
        Slip(_list(roots[0], -roots[1]), "한 인수에서만 부호를 바꿈"),
        Slip(number(roots[0]), "한 근만 씀"),
    ))  # fmt: skip


def _equation(text: str, answer: str, slips: tuple[Slip, ...]) -> Draft:
    return Draft(
        statement=f"다음 이차방정식을 풀어라: ${text}$",
        answer=answer,
        holds=partial(gives_both_roots, text),
        slips=slips,
    )


def _list(*values: Fraction | int) -> str:
    return ", ".join(number(value) for value in sorted(values))


def _with_radicals(random: Random) -> Draft:
    a, p = random.randint(1, 3), nonzero(random, -6, 6)
    under = random.choice([n for n in range(2, 30) if isqrt(n) ** 2 != n and n != p * p])
    text = f"{polynomial(a, -2 * a * p, a * (p * p - under))}=0"
    return _equation(text, _conjugates(p, 1, under), (
        Slip(_conjugates(-p, 1, under), "근의 공식에서 b의 부호를 바꾸지 않음"),
        Slip(_conjugates(2 * p, 2, under), "근의 공식에서 2a로 나누지 않음"),
        Slip(_list(p + under, p - under), "제곱근을 구하지 않음"),
        Slip(f"{p}+{radical(1, under)}", "양의 제곱근만 생각함"),
    ))  # fmt: skip


def _conjugates(p: int, factor: int, under: int) -> str:
    root = radical(factor, under)
    return f"{p}+{root}, {p}-{root}"


def roots_and_coefficients(random: Random, level: Level) -> Draft:
    """Of the roots α and β: the sum, then α²+β², then 1/α+1/β."""
    first, second = random.sample([n for n in range(-9, 10) if n], 2)
    a = random.randint(1, 4)
    total, product = first + second, first * second
    text = f"{polynomial(a, -a * total, a * product)}=0"
    wanted = _WANTED[level - 1]
    return Draft(
        statement=f"이차방정식 ${text}$의 두 근을 α, β라 할 때, {wanted.shown}의 값을 구하여라.",
        answer=number(wanted.known(total, product)),
        holds=partial(is_of_roots, text, wanted.formula),
        slips=(
            Slip(number(wanted.known(-total, product)), "두 근의 합의 부호를 반대로 씀"),
            Slip(number(wanted.known(a * total, a * product)), "이차항의 계수로 나누지 않음"),
            Slip(number(wanted.slip(total, product)), wanted.misconception),
            Slip(number(product), "두 근의 곱을 답으로 씀"),
        ),
    )


@dataclass(frozen=True)
class _Wanted:
    shown: str
    formula: Callable[[Exact, Exact], Exact]
    known: Callable[[int, int], int | Fraction]
    slip: Callable[[int, int], int | Fraction]
    misconception: str


_WANTED = (
    _Wanted("α+β", lambda r, s: r + s, lambda t, _: t, lambda t, p: t + p, "합과 곱을 함께 더함"),
    _Wanted(
        "α^2+β^2",
        lambda r, s: r**2 + s**2,
        lambda t, p: t * t - 2 * p,
        lambda t, _: t * t,
        "합의 제곱에서 2αβ를 빼지 않음",
    ),
    _Wanted(
        "1/α+1/β",
        lambda r, s: r.inverse() + s.inverse(),
        Fraction,
        lambda t, p: Fraction(p, t) if t else Fraction(1, p),
        "분자와 분모를 바꿈",
    ),
)


def quadratic_extremes(random: Random, level: Level) -> Draft:
    """Extremes on an interval: vertex inside, vertex outside, then a = ±2 and a half vertex."""
    a = random.choice((1, -1) if level < 3 else (2, -2))  # noqa: PLR2004 -- the third level
    doubled = 2 * random.randint(-3, 3) + (level == 3)  # noqa: PLR2004
    low, high = _interval(random, level, doubled)
    vertex = Fraction(doubled, 2)
    base = random.randint(-8, 8)
    c = a * vertex * vertex + base + (Fraction(1, 2) if level == 3 else 0)  # noqa: PLR2004
    formula = polynomial(a, -2 * a * vertex, c)
    heights = [a * (x - vertex) ** 2 + c - a * vertex * vertex for x in (low, high, vertex)]
    inside = low < vertex < high
    return _extremes(formula, (low, high), heights, inside)


def _interval(random: Random, level: Level, doubled: int) -> tuple[int, int]:
    middle, side = doubled // 2, random.choice((1, -1))
    near, far = random.sample(range(1, 6), 2)
    if level == 2:  # noqa: PLR2004 -- the vertex lies outside
        ends = (middle + side * near, middle + side * far)
        return min(ends), max(ends)
    return middle - near, middle + far + (level == 3)  # noqa: PLR2004


def _extremes(formula: str, ends: tuple[int, int], heights: list[Fraction], inside: bool) -> Draft:
    low, high = ends
    at_ends, everywhere = heights[:2], heights
    right, other = (everywhere, at_ends) if inside else (at_ends, everywhere)
    blamed = "꼭짓점을 살피지 않음" if inside else "구간 밖의 꼭짓점의 값을 씀"
    upward = everywhere[2] <= min(at_ends)
    only = (max(right), everywhere[2] + 1) if upward else (everywhere[2] - 1, min(right))
    return Draft(
        statement=(
            f"${low} ≤ x ≤ {high}$에서 이차함수 $y={formula}$의 최댓값과 최솟값을 차례로 구하여라."
        ),
        answer=_both(max(right), min(right)),
        holds=partial(gives_extremes, formula, low, high),
        slips=(
            Slip(_both(max(other), min(other)), blamed),
            Slip(_both(min(right), max(right)), "최댓값과 최솟값을 바꾸어 씀"),
            Slip(_both(high, low), "함숫값 대신 구간의 끝을 씀"),
            Slip(_both(*only), "꼭짓점의 y좌표를 잘못 계산함"),
        ),
    )


def _both(largest: Fraction | int, least: Fraction | int) -> str:
    return f"{number(largest)}, {number(least)}"


TEMPLATES = (
    Template("factorisation", "9수02-19", (0.3, 0.5, 0.65), factorisation),
    Template("quadratic_equation", "9수02-20", (0.35, 0.5, 0.65), quadratic_equation),
    Template("roots_and_coefficients", "10공수1-02-03", (0.35, 0.55, 0.65), roots_and_coefficients),
    Template("quadratic_extremes", "10공수1-02-06", (0.4, 0.55, 0.7), quadratic_extremes),
)
