"""What a template hands over, and how numbers and expressions are written in it."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Final, Literal

from reference_nodes.problems.exact import split_square

Level = Literal[1, 2, 3]
LEVELS: Final[tuple[Level, ...]] = (1, 2, 3)


@dataclass(frozen=True)
class Slip:
    """A wrong answer and the misconception, in Korean, that leads to it."""

    text: str
    misconception: str


@dataclass(frozen=True)
class Draft:
    """A question with its answer; `holds` judges any answer's text from the question alone."""

    statement: str
    answer: str
    holds: Callable[[str], bool]
    slips: tuple[Slip, ...]


@dataclass(frozen=True)
class Template:
    """A kind of problem for one concept; `difficulty` is the author's 0-1 estimate per level."""

    name: str
    code: str
    difficulty: tuple[float, float, float]
    draw: Callable[[Random, Level], Draft]


def nonzero(random: Random, low: int, high: int) -> int:
    """Give a whole number from `low` to `high`, not 0."""
    return random.choice([n for n in range(low, high + 1) if n])


def number(value: int | Fraction) -> str:
    """Write a rational number: `-3/2`, `4`."""
    return str(Fraction(value))


def polynomial(*factors: int | Fraction) -> str:
    """Write a polynomial in x from its coefficients, the highest power first: `-x^2+3x-5`."""
    powers = range(len(factors) - 1, -1, -1)
    written = "".join(_term(Fraction(f), p) for f, p in zip(factors, powers, strict=True) if f)
    return written.removeprefix("+") or "0"


def _term(factor: Fraction, power: int) -> str:
    letter = ("", "x")[power] if power <= 1 else f"x^{power}"
    size = abs(factor)
    shown = "" if letter and size == 1 else number(size)
    if letter and size.denominator != 1:
        shown = f"({shown})"
    return ("-" if factor < 0 else "+") + shown + letter


def radical(factor: int | Fraction, under: int) -> str:
    """Write factor·√under with squares taken out: `5√3`, `-√2`, `6`."""
    outside, inside = split_square(under)
    size = Fraction(factor) * outside
    if inside in {0, 1} or not size:
        return number(size * inside)
    shown = {Fraction(1): "", Fraction(-1): "-"}.get(size)
    if shown is None:
        shown = number(size) if size.denominator == 1 else f"({number(size)})"
    return f"{shown}√{inside}"
