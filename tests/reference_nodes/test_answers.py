"""Reading answers: what is taken, what is refused, and that nothing is ever run."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_nodes.problems.answers import UnreadableAnswerError, read_answer
from reference_nodes.problems.exact import Exact

pytestmark = pytest.mark.requirement("nodes-answers-safe")

X = Exact.letter("x")
Y = Exact.letter("y")


def n(value: int | str) -> Exact:
    return Exact.of(Fraction(value))


def root(value: int) -> Exact:
    return n(value).root()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3/4", (n("3/4"),)),
        ("0.75", (n("3/4"),)),
        ("-5", (n(-5),)),
        ("+2", (n(2),)),
        ("−3", (n(-3),)),
        ("1+√2", (n(1) + root(2),)),
        ("2sqrt(3)", (n(2) * root(3),)),
        ("2√3", (n(2) * root(3),)),
        ("√(12)", (n(2) * root(3),)),
        ("√8/2", (root(2),)),
        ("6/√3", (n(2) * root(3),)),
        ("1/(1+√2)", (root(2) - n(1),)),
        ("√(3/4)", (root(3) / n(2),)),
        ("(x-3)(x+2)", (X * X - X - n(6),)),
        ("x(x+1)", (X * X + X,)),
        ("2x^2y", (n(2) * X * X * Y,)),
        ("x²-1", (X * X - n(1),)),
        ("2×3÷4", (n("3/2"),)),
        ("x**2", (X * X,)),
        ("x=2, y=-1", (n(2), n(-1))),
        ("y=-1, x=2", (n(2), n(-1))),
        ("(2, -1)", (n(2), n(-1))),
        ("{4, 8}", (n(4), n(8))),
        ("x=4 또는 x=8", (n(4), n(8))),
        ("4; 8", (n(4), n(8))),
        ("y=2x-3", (n(2) * X - n(3),)),
    ],
)
def test_answers_are_read_exactly(text: str, values: tuple[Exact, ...]) -> None:
    """Fractions, decimals, radicals, products without a sign, several values."""
    assert read_answer(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "__import__",
        "os",
        "x.real",
        "x.__class__",
        "f(2)",
        "x.y()",
        "sqrt(2, 3)",
        "sqrt(x=2)",
        "sqrt",
        "lambda: 1",
        "[1, 2]",
        "'1'",
        "1 if x else 2",
        "x := 2",
        "1 < 2",
        "1 // 2",
        "7 % 2",
        "True",
        "1e5",
        "1_000",
        "0x10",
        "012",
        "2 3",
        "x2",
        "1/0",
        "1/(√4-2)",
        "1/x",
        "2^-1",
        "2^x",
        "2^0.5",
        "x^9",
        "9**9**9",
        "9^9^9",
        "((9^8)^8)^8",
        "(x+y+√2+√3+√5+√7)^8",
        "sqrt(-1)",
        "sqrt(x)",
        "√99999999999",
        "9" * 20,
        "1" * 201,
        "(" * 40 + "1" + ")" * 40,
        "-" * 100 + "1",
        "1+" * 60 + "1",
        "()",
        "",
        "   ",
        "(1, 2)(3)",
        "((1, 2), 3)",
        "1 +",
        "√",
        "²",
        "٣",
        "모름",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """Names, calls, attributes, other syntax, too long, too deep, too large, undefined."""
    with pytest.raises(UnreadableAnswerError):
        read_answer(text)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="0123456789xy+-*/^()√,.=² sqrt_'[]", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other error, whatever is typed."""
    try:
        values = read_answer(text)
    except UnreadableAnswerError:
        return
    assert values


@given(st.text(alphabet=st.characters(exclude_characters="0123456789xy"), max_size=250))
def test_text_without_a_digit_or_an_unknown_is_refused(text: str) -> None:
    """Letters and signs of every script."""
    with pytest.raises(UnreadableAnswerError):
        read_answer(text)


@pytest.mark.parametrize("text", ["(x+y+1)^8*(x+y+1)^8", "*".join(["(x+y+√2+1)^4"] * 12)])
def test_the_heaviest_answers_are_cut_short(text: str) -> None:
    """Terms, degree and digits are bounded after every single product."""
    with pytest.raises(UnreadableAnswerError, match="too long"):
        read_answer(text)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 40), st.integers(1, 30))
def test_exact_numbers_obey_the_laws_of_arithmetic(a: int, b: int, c: int, d: int) -> None:
    """Products of conjugates, inverses and squares of roots come out even."""
    number = n(a) + n(b) * root(c)
    assert number * (n(a) - n(b) * root(c)) == n(a * a - b * b * c)
    assert (number + n(d)) - n(d) == number
    assert root(d) * root(d) == n(d)
    if not number.is_zero:
        assert number * number.inverse() == n(1)
