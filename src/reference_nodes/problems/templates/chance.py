"""Probability with balls and dice, and the median of data."""

from fractions import Fraction
from functools import partial
from itertools import combinations, product
from math import comb
from random import Random

from reference_nodes.problems.checks import is_chance, is_median, is_median_with_mean
from reference_nodes.problems.drafts import Draft, Level, Slip, Template, number

_DICE = tuple(product(range(1, 7), repeat=2))


def probability(random: Random, level: Level) -> Draft:
    """One ball, two dice, then two balls at once."""
    if level == 2:  # noqa: PLR2004 -- the second level
        return _two_dice(random)
    red, blue = random.sample(range(2, 10), 2)
    return _one_ball(red, blue) if level == 1 else _two_balls(red, blue)


def _bag(red: int, blue: int) -> str:
    return f"빨간 공 {red}개와 파란 공 {blue}개가 들어 있는 주머니에서"


def _one_ball(red: int, blue: int) -> Draft:
    every = red + blue
    return Draft(
        statement=f"{_bag(red, blue)} 공 한 개를 꺼낼 때, 빨간 공이 나올 확률을 구하여라.",
        answer=number(Fraction(red, every)),
        holds=partial(is_chance, "R" * red + "B" * blue, "R".__eq__),
        slips=(
            Slip(number(Fraction(red, blue)), "전체가 아니라 나머지로 나눔"),
            Slip(number(Fraction(blue, every)), "여사건의 확률을 구함"),
            Slip(number(Fraction(1, red)), "빨간 공 하나하나의 확률로 봄"),
            Slip(number(Fraction(1, 2)), "색이 두 가지이므로 반반이라고 봄"),
        ),
    )


def _two_dice(random: Random) -> Draft:
    above = random.choice((True, False))
    total = random.randint(3 if above else 2, 11 if above else 12)
    totals = range(total, 13) if above else [total]
    counts = [6 - abs(n - 7) for n in totals]
    ways, unordered = sum(counts), sum((count + 1) // 2 for count in counts)
    return Draft(
        statement=(
            "서로 다른 두 개의 주사위를 동시에 던질 때, "
            f"나온 두 눈의 수의 합이 {total}{' 이상' if above else ''}일 확률을 구하여라."
        ),
        answer=number(Fraction(ways, 36)),
        holds=partial(is_chance, _DICE, partial(_sums_to, total, above)),
        slips=(
            Slip(number(Fraction(len(totals), 11)), "합이 나올 경우가 모두 같다고 봄"),
            Slip(number(Fraction(unordered, 21)), "두 주사위를 구별하지 않음"),
            Slip(number(Fraction(ways, 12)), "전체 경우의 수를 6+6으로 셈"),
            Slip(number(1 - Fraction(ways, 36)), "여사건의 확률을 구함"),
        ),
    )


def _sums_to(total: int, above: bool, throw: tuple[int, int]) -> bool:
    return sum(throw) >= total if above else sum(throw) == total


def _two_balls(red: int, blue: int) -> Draft:
    every = red + blue
    same = Fraction(comb(red, 2) + comb(blue, 2), comb(every, 2))
    pairs = tuple(combinations("R" * red + "B" * blue, 2))
    return Draft(
        statement=(
            f"{_bag(red, blue)} 공 두 개를 동시에 꺼낼 때, 두 공의 색이 같을 확률을 구하여라."
        ),
        answer=number(same),
        holds=partial(is_chance, pairs, _alike),
        slips=(
            Slip(number(Fraction(red**2 + blue**2, every**2)), "꺼낸 공을 다시 넣는다고 봄"),
            Slip(number(1 - same), "여사건의 확률을 구함"),
            Slip(number(Fraction(comb(red, 2), comb(every, 2))), "한 가지 색만 생각함"),
            Slip(number(Fraction(2, 3)), "세 가지 결과가 모두 같다고 봄"),
        ),
    )


def _alike(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def median_of_data(random: Random, level: Level) -> Draft:
    """An odd number of data, an even number, then with one value known by the mean only."""
    size = random.choice(((5, 7), (6, 8), (5, 7))[level - 1])
    data = random.sample(range(1, 31), size)
    if level < 3:  # noqa: PLR2004 -- the third level
        return _median(data)
    data[-1] += -sum(data) % size
    return _median_by_mean(data)


def _median(data: list[int]) -> Draft:
    return Draft(
        statement=f"다음 자료의 중앙값을 구하여라: {_written(data)}",
        answer=number(_middle(sorted(data))),
        holds=partial(is_median, tuple(data)),
        slips=_median_slips(data),
    )


def _median_by_mean(data: list[int]) -> Draft:
    known, mean = tuple(data[:-1]), sum(data) // len(data)
    shown = f"{_written(known)}, x"
    return Draft(
        statement=f"다음 자료의 평균이 {mean}일 때, 중앙값을 구하여라: {shown}",
        answer=number(_middle(sorted(data))),
        holds=partial(is_median_with_mean, known, mean),
        slips=(
            Slip(number(data[-1]), "x의 값을 답으로 씀"),
            Slip(number(_middle(sorted(known))), "x를 빼고 중앙값을 구함"),
            *_median_slips(data),
        ),
    )


def _median_slips(data: list[int]) -> tuple[Slip, ...]:
    ordered = sorted(data)
    return (
        Slip(number(_middle(data)), "크기순으로 늘어놓지 않음"),
        Slip(number(Fraction(sum(data), len(data))), "중앙값 대신 평균을 구함"),
        Slip(number(ordered[(len(data) - 1) // 2 - 1]), "가운데 순서를 하나 앞으로 셈"),
        Slip(number(ordered[len(data) // 2]), "가운데 두 값 중 큰 값만 씀"),
    )


def _middle(data: list[int]) -> Fraction:
    return Fraction(data[(len(data) - 1) // 2] + data[len(data) // 2], 2)


def _written(data: list[int] | tuple[int, ...]) -> str:
    return ", ".join(map(str, data))


TEMPLATES = (
    Template("probability", "9수04-06", (0.3, 0.5, 0.65), probability),
    Template("median_of_data", "9수04-01", (0.25, 0.4, 0.6), median_of_data),
)
