"""Reading an answer that a person typed, without ever running it.

Two walls: a whitelist of tokens before parsing, and a whitelist of syntax nodes after it. What
passes is calculated exactly and within bounds: `3/4`, `1+√2`, `2sqrt(3)`, `(x-3)(x+2)`.
"""

import ast
import re
import unicodedata
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from reference_nodes.problems.exact import Exact, InexactError

MAX_CHARACTERS: Final = 200
MAX_DEPTH: Final = 30
_MAX_DIGITS: Final = 12

_TOKEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|sqrt|[xy]|\*\*|[-+*/^(),])")
_SIGNS = str.maketrans(
    {
        "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "²": "^2", "³": "^3",
        "{": "(", "}": ")", ";": ",",
    }
)  # fmt: skip
_ROOT_OF_NUMBER = re.compile(r"√\s*([0-9]+(?:\.[0-9]+)?)")
_OR = re.compile(r"\s*(?:또는|\bor\b)\s*")
_NAMED = re.compile(r"((?:^|,)\s*\(?\s*)([xy])\s*=\s*")

_OPERATIONS: Final[Mapping[type[ast.operator], Callable[[Exact, Exact], Exact]]] = {
    ast.Add: Exact.__add__,
    ast.Sub: Exact.__sub__,
    ast.Mult: Exact.__mul__,
    ast.Div: Exact.__truediv__,
}


class UnreadableAnswerError(ValueError):
    """The text is no answer that can be read; the message says why."""


def read_answer(text: str) -> tuple[Exact, ...]:
    """Give the exact expressions of an answer, in the order written, x before y if both are named.

    Several are parted by commas, `;` or 또는, with or without brackets: `x=2, y=-1`, `(2, -1)`.

    Raises:
        UnreadableAnswerError: too long, too deep, a sign or name that is not allowed, no value.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnreadableAnswerError(f"more than {MAX_CHARACTERS} characters")
    plain = _OR.sub(",", unicodedata.normalize("NFC", text).translate(_SIGNS))
    try:
        return _values(_parse(_python(_NAMED.sub(r"\1", plain))), _swapped(plain))
    except InexactError as error:
        raise UnreadableAnswerError(str(error)) from error
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableAnswerError("not an expression") from error


def _swapped(plain: str) -> bool:
    return [letter for _, letter in _NAMED.findall(plain)] == ["y", "x"]


def _values(tree: ast.expr, swapped: bool) -> tuple[Exact, ...]:
    parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    if not parts:
        raise UnreadableAnswerError("nothing is written")
    values = tuple(_value(part, 1) for part in parts)
    return values[::-1] if swapped else values


def _python(plain: str) -> str:
    written: list[str] = []
    for token in _tokens(_ROOT_OF_NUMBER.sub(r"sqrt(\1)", plain).replace("√", "sqrt")):
        if written and _touch(written[-1], token):
            written.append("*")
        written.append("**" if token == "^" else token)  # noqa: S105 -- a token of text
    return "".join(written)


def _tokens(plain: str) -> list[str]:
    tokens, at = [], 0
    plain = plain.strip()
    while at < len(plain):
        found = _TOKEN.match(plain, at)
        if found is None:
            raise UnreadableAnswerError(f"{plain[at : at + 1]!r} does not belong in an answer")
        tokens.append(found[1])
        at = found.end()
    _bounded(tokens)
    return tokens


def _bounded(tokens: list[str]) -> None:
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")  # noqa: S105 -- a token of text
        if depth > MAX_DEPTH:
            raise UnreadableAnswerError(f"more than {MAX_DEPTH} brackets deep")
        if len(token) > _MAX_DIGITS:
            raise UnreadableAnswerError(f"a number of more than {_MAX_DIGITS} digits")


def _touch(left: str, right: str) -> bool:
    if not (left[-1].isdigit() or left in {"x", "y", ")"}):
        return False
    if right[0].isdigit():
        raise UnreadableAnswerError(f"no sign before {right}")
    return right in {"x", "y", "(", "sqrt"}


def _parse(python: str) -> ast.expr:
    return ast.parse(python, mode="eval").body


def _value(node: ast.expr, depth: int) -> Exact:
    if depth > MAX_DEPTH:
        raise UnreadableAnswerError(f"more than {MAX_DEPTH} steps deep")
    match node:
        case ast.Constant(value=int() | float() as number):
            return Exact.of(Fraction(str(number)))
        case ast.Name(id="x" | "y" as name):
            return Exact.letter(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=part):
            value = _value(part, depth + 1)
            return -value if isinstance(sign, ast.USub) else value
        case ast.Call(func=ast.Name(id="sqrt"), args=[part], keywords=[]):
            return _value(part, depth + 1).root()
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=int() as power)):
            return _value(base, depth + 1) ** power
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
            act = _OPERATIONS[type(operator)]
            return act(_value(left, depth + 1), _value(right, depth + 1))
    raise UnreadableAnswerError("only numbers, x, y, + - * / ^ and square roots are read")
