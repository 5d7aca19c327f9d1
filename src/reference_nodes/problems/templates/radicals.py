"""Sums, differences and quotients of radicals."""

from functools import partial
from random import Random

from reference_nodes.problems.checks import simplifies
from reference_nodes.problems.drafts import Draft, Level, Slip, Template, radical


def radical_sums(random: Random, level: Level) -> Draft:
    """A sum of two radicals, then with coefficients, then with a denominator to rationalise."""
    under = random.choice((2, 3, 5, 6, 7))
    inner = random.sample(range(2, 7), 2)
    if level == 3:  # noqa: PLR2004 -- the third level
        return _rationalised(random, under, inner[0])
    outer = [1, 1] if level == 1 else [random.randint(2, 5), -random.randint(2, 5)]
    if inner[0] * outer[0] + inner[1] * outer[1] == 0:
        outer[0] += 1
    return _sum(under, inner, outer)


def _sum(under: int, inner: list[int], outer: list[int]) -> Draft:
    inside = [under * n * n for n in inner]
    signed = f"{outer[1]:+d}" if outer[1] != 1 else "+"
    first = "" if outer[0] == 1 else str(outer[0])
    expression = f"{first}√{inside[0]}{signed}√{inside[1]}"
    total = inner[0] * outer[0] + inner[1] * outer[1]
    return _simplify(expression, radical(total, under), (
        Slip(radical(sum(outer) or 1, sum(inside)), "근호 안의 수끼리 더함"),
        Slip(radical(sum(outer) or 1, under), "근호 밖으로 꺼낸 수를 빠뜨림"),
        Slip(radical(total, 2 * under), "근호 안의 수도 더함"),
        Slip(radical(inner[0] ** 2 * outer[0] + inner[1] ** 2 * outer[1], under),
             "제곱인 인수를 제곱근을 구하지 않고 꺼냄"),
    ))  # fmt: skip


def _rationalised(random: Random, under: int, inner: int) -> Draft:
    times = random.randint(1, 5)
    expression = f"{under * times}/√{under}+√{under * inner * inner}"
    return _simplify(expression, radical(times + inner, under), (
        Slip(radical(under * times + inner, under), "분모의 근호를 그대로 없앰"),
        Slip(radical(times + inner, 2 * under), "근호 안의 수끼리 더함"),
        Slip(radical(times + inner**2, under), "제곱인 인수를 제곱근을 구하지 않고 꺼냄"),
        Slip(radical(times * inner, under), "더하지 않고 곱함"),
    ))  # fmt: skip


def _simplify(expression: str, answer: str, slips: tuple[Slip, ...]) -> Draft:
    return Draft(
        statement=f"다음을 간단히 하여라: ${expression}$",
        answer=answer,
        holds=partial(simplifies, expression),
        slips=slips,
    )


TEMPLATES = (Template("radical_sums", "9수01-10", (0.3, 0.45, 0.6), radical_sums),)
