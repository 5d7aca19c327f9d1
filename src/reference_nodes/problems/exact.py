"""Exact numbers with square roots, and polynomials in x and y over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, isqrt
from typing import Final

_MAX_TERMS: Final = 64
_MAX_DEGREE: Final = 16
_MAX_BITS: Final = 256
_MAX_RADICAND: Final = 10**8
MAX_POWER: Final = 8

Term = tuple[int, int, int]  # power of x, power of y, square-free number under the root
_ONE: Final[Term] = (0, 0, 1)


class InexactError(ValueError):
    """The calculation leaves what can be held exactly, or divides by zero."""


@dataclass(frozen=True)
class Exact:
    """A sum of `coefficient · x^i · y^j · √n`; equal values have equal terms."""

    terms: Mapping[Term, Fraction]

    @classmethod
    def of(cls, number: int | Fraction) -> "Exact":
        """Give a rational number."""
        return _tidy({_ONE: Fraction(number)})

    @classmethod
    def letter(cls, name: str) -> "Exact":
        """Give the polynomial x or y."""
        return cls({(1, 0, 1) if name == "x" else (0, 1, 1): Fraction(1)})

    @property
    def is_zero(self) -> bool:
        """Whether this is exactly nought."""
        return not self.terms

    @property
    def is_constant(self) -> bool:
        """Whether neither x nor y occurs."""
        return all(i == j == 0 for i, j, _ in self.terms)

    def rational(self) -> Fraction:
        """Give the rational number that this is.

        Raises:
            InexactError: a root or a letter is left.
        """
        if set(self.terms) - {_ONE}:
            raise InexactError("not a rational number")
        return self.terms.get(_ONE, Fraction(0))

    def __add__(self, other: "Exact") -> "Exact":
        total = dict(self.terms)
        for term, factor in other.terms.items():
            total[term] = total.get(term, Fraction(0)) + factor
        return _tidy(total)

    def __neg__(self) -> "Exact":
        return Exact({term: -factor for term, factor in self.terms.items()})

    def __sub__(self, other: "Exact") -> "Exact":
        return self + -other

    def __mul__(self, other: "Exact") -> "Exact":
        total: dict[Term, Fraction] = {}
        for (i, j, m), a in self.terms.items():
            for (k, n, r), b in other.terms.items():
                shared = gcd(m, r)
                term = (i + k, j + n, (m // shared) * (r // shared))
                total[term] = total.get(term, Fraction(0)) + a * b * shared
        return _tidy(total)

    def __pow__(self, power: int) -> "Exact":
        if not 0 <= power <= MAX_POWER:
            raise InexactError(f"a power is a whole number from 0 to {MAX_POWER}")
        product = Exact.of(1)
        for _ in range(power):
            product = product * self
        return product

    def __truediv__(self, other: "Exact") -> "Exact":
        return self * other.inverse()

    def inverse(self) -> "Exact":
        """Give 1 divided by this constant, of one term or two.

        Raises:
            InexactError: this is zero, holds a letter, or has more than two terms.
        """
        if self.is_zero:
            raise InexactError("division by zero")
        if not self.is_constant or len(self.terms) > 2:  # noqa: PLR2004 -- one conjugate is enough
            raise InexactError("only numbers of one or two terms divide")
        if len(self.terms) == 1:
            ((term, factor),) = self.terms.items()
            return _tidy({term: 1 / (factor * term[2])})
        (first, a), (second, b) = self.terms.items()
        conjugate = Exact({first: a, second: -b})
        return conjugate * Exact.of(1 / (a * a * first[2] - b * b * second[2]))

    def root(self) -> "Exact":
        """Give the square root of this rational number, not below zero.

        Raises:
            InexactError: this is negative, no rational number, or too large.
        """
        value = self.rational()
        under = value.numerator * value.denominator
        if not 0 <= under <= _MAX_RADICAND:
            raise InexactError("the number under the root is negative or too large")
        outside, inside = split_square(under)
        return _tidy({(0, 0, inside): Fraction(outside, value.denominator)})

    def at(self, x: "Exact", y: "Exact | None" = None) -> "Exact":
        """Give the value after putting numbers, or expressions, for x and y."""
        total = Exact.of(0)
        for (i, j, n), factor in self.terms.items():
            value = Exact({(0, 0, n): factor}) * x**i
            total = total + (value * (y or Exact.of(0)) ** j if j else value)
        return total


def split_square(number: int) -> tuple[int, int]:
    """Give (a, b) with number = a²·b and b square-free; (0, 1) for zero."""
    if number == 0:
        return 0, 1
    outside, divisor = 1, 2
    while divisor <= isqrt(number // (outside * outside)):
        if number % (outside * divisor) ** 2 == 0:
            outside *= divisor
        else:
            divisor += 1
    return outside, number // (outside * outside)


def _tidy(terms: Mapping[Term, Fraction]) -> Exact:
    kept = {term: factor for term, factor in terms.items() if factor}
    if len(kept) > _MAX_TERMS or any(i + j > _MAX_DEGREE for i, j, _ in kept):
        raise InexactError("the expression is too long")
    if any(_bits(term[2], factor) > _MAX_BITS for term, factor in kept.items()):
        raise InexactError("the numbers are too large")
    return Exact(kept)


def _bits(radicand: int, factor: Fraction) -> int:
    return max(radicand, abs(factor.numerator), factor.denominator).bit_length()
