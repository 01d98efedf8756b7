"""Random programs for sweeps: trees of operations over four inputs, with checks, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from archcalc.arithmetic import maximum, minimum, require
from archcalc.errors import ShapeError
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.simplify import Simplified, simplify
from archcalc.symbols import OPERATIONS, Int, Program, Symbol

RULES: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "min": minimum,
    "max": maximum,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
SETS: list[Sequence[int]] = [
    range(-4, 5),
    range(8, 65, 8),
    [3, 5, 11],
    [7],
    [2],
    range(0, 4),
    [-6, 6, 2],
]


leaves = st.sampled_from("wxyz") | st.integers(-9, 70)
trees: st.SearchStrategy[Any] = st.recursive(
    leaves, lambda inner: st.tuples(st.sampled_from(sorted(RULES)), inner, inner), max_leaves=14
)


class Case(NamedTuple):
    program: Program
    results: list[Int]
    simple: Simplified


def run(tree: Any, symbols: dict[str, Symbol]) -> Int:
    if not isinstance(tree, tuple):
        return symbols[tree] if isinstance(tree, str) else int(tree)
    a, b = run(tree[1], symbols), run(tree[2], symbols)
    if isinstance(a, int) and isinstance(b, int):
        return int(OPERATIONS[tree[0]](a, b))
    result: Int = RULES[tree[0]](a, b)
    return result


def case(values: list[Sequence[int]], checked: list[Any], results: list[Any]) -> Case:
    """Make a program with a guard or requirement of each tree in `checked`, recorded at a point."""
    program = Program()
    symbols = {n: program.variable(n, v[0]) for n, v in zip("wxyz", values, strict=True)}
    for i, tree in enumerate(checked):
        condition = run(tree, symbols)
        if i % 2:
            bool(condition)
        elif isinstance(condition, Symbol):
            try:
                require(condition >= 0, "negative")
            except ShapeError:
                break
    found = [run(tree, symbols) for tree in results]
    known = {n: ranges.of_values(v) for n, v in zip("wxyz", values, strict=True)}
    names = {str(i): value for i, value in enumerate(found)}
    return Case(program, found, simplify(program, program.checks, names, known))
