"""The manifest of promises and the tests agree with each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from requirements import GAPS, PROMISES

TESTS = Path(__file__).parents[1]


@pytest.mark.requirement("house-imports")
def test_every_promise_has_a_test_and_every_test_names_a_known_promise() -> None:
    """A promise that nothing shows, and a test for a promise that nobody made, are both errors."""
    named = {name for file in TESTS.rglob("test_*.py") for name in promises_named_in(file)}
    assert named - PROMISES.keys() == set()
    assert PROMISES.keys() - named == set()


@pytest.mark.requirement("house-imports")
def test_a_gap_is_not_a_promise() -> None:
    """What is not built yet is recorded apart, with a reason; when built it moves."""
    assert GAPS.keys() & PROMISES.keys() == set()
    assert all(reason.endswith(".") for reason in GAPS.values())


@pytest.mark.requirement("house-imports")
def test_every_test_names_a_promise() -> None:
    """A test that shows nothing promised is either superfluous, or its promise is missing."""
    nameless = [
        f"{file.relative_to(TESTS)}::{test.name}"
        for file in TESTS.rglob("test_*.py")
        for test in cases_of(file)
        if not any(promises_in(mark) for mark in [*test.decorator_list, *module_marks(file)])
    ]
    assert nameless == []


def promises_named_in(file: Path) -> Iterator[str]:
    """The ids in every `requirement(…)` of the file."""
    yield from promises_in(ast.parse(file.read_text()))


def promises_in(tree: ast.AST) -> list[str]:
    return [
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "requirement"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def cases_of(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test_"):
                    yield node
            case _:
                pass


def module_marks(file: Path) -> list[ast.AST]:
    """What the module's `pytestmark` is set to."""
    return [
        node.value
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign)
        and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        )
    ]
