"""How tests are written: each can fail, and what two of them need lies in `support/`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("test_*.py"))
ROOMS = {"tests", *(path.name for path in TESTS.iterdir()), *(path.stem for path in FILES)}
ASSERTING = {"raises", "warns", "fail", "assert_array_equal", "assert_allclose"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a file imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def asserts(function: ast.FunctionDef, others: dict[str, ast.FunctionDef]) -> bool:
    """Whether a function, or one of this file that it calls, asserts anything."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            rest = {other: body for other, body in others.items() if other != name}
            if name in ASSERTING or (name in others and asserts(others[name], rest)):
                return True
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_what_tests_share_lies_in_support(path: Path) -> None:
    """No test imports another, nor anything that lies beside it."""
    tree = tree_of(path)
    foreign = {name for name in imported(tree) if name.partition(".")[0] in ROOMS - {"support"}}
    assert foreign == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_each_test_asserts(path: Path) -> None:
    tree = tree_of(path)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    tests = [name for name in functions if name.startswith("test_")]
    assert [name for name in tests if not asserts(functions[name], functions)] == []
