"""The third side of a right triangle."""

from functools import partial
from random import Random

from reference_nodes.problems.checks import completes_right_triangle
from reference_nodes.problems.drafts import Draft, Level, Slip, Template, radical

_TRIPLES = ((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (9, 40, 41))


def pythagoras(random: Random, level: Level) -> Draft:
    """The hypotenuse of a whole triple, a leg of one, then a length with a radical."""
    if level == 3:  # noqa: PLR2004 -- the third level
        return _radical_length(random)
    first, second, longest = _scaled_triple(random)
    if level == 1:
        return _hypotenuse(first, second)
    return _leg(first, longest)


def _scaled_triple(random: Random) -> tuple[int, int, int]:
    a, b, c = random.choice(_TRIPLES)
    times = random.randint(1, 6)
    first, second = random.sample((a * times, b * times), 2)
    return first, second, c * times


def _radical_length(random: Random) -> Draft:
    first, second = random.randint(1, 12), random.randint(1, 12)
    if random.choice((True, False)):
        return _hypotenuse(first, second)
    return _leg(first, first + second)


def _hypotenuse(first: int, second: int) -> Draft:
    return Draft(
        statement=(
            f"직각을 낀 두 변의 길이가 {first}, {second}인 직각삼각형의 빗변의 길이를 구하여라."
        ),
        answer=radical(1, first**2 + second**2),
        holds=partial(completes_right_triangle, (first, second), None),
        slips=(
            Slip(str(first + second), "제곱하지 않고 두 변을 더함"),
            Slip(str(first**2 + second**2), "제곱근을 구하지 않음"),
            Slip(radical(1, abs(first**2 - second**2)), "제곱의 합 대신 차를 구함"),
            Slip(radical(2, first + second), "제곱을 2배로 계산함"),
        ),
    )


def _leg(first: int, longest: int) -> Draft:
    return Draft(
        statement=(
            f"빗변의 길이가 {longest}이고 다른 한 변의 길이가 {first}인 직각삼각형의 "
            "나머지 한 변의 길이를 구하여라."
        ),
        answer=radical(1, longest**2 - first**2),
        holds=partial(completes_right_triangle, (first, 0), longest),
        slips=(
            Slip(radical(1, longest**2 + first**2), "빗변과 다른 변을 혼동함"),
            Slip(str(longest - first), "제곱하지 않고 두 변을 뺌"),
            Slip(str(longest**2 - first**2), "제곱근을 구하지 않음"),
            Slip(radical(2, longest - first), "제곱을 2배로 계산함"),
        ),
    )


TEMPLATES = (Template("pythagoras", "9수03-15", (0.3, 0.45, 0.6), pythagoras),)
