"""Decimals that vary are fractions of symbols: recorded programs against Python's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from archcalc.arithmetic import recorded
from archcalc.errors import ArchError
from archcalc.rationals import parts, ratio, settled
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse
from archcalc.symbols import Program

DENOMINATORS = {"w": 100, "v": 8, "n": 1}


def nearest(value: Fraction, step: Fraction) -> Fraction:
    """`round_to` by its definition: half up, at least one step, one more if under 90 % of the value."""
    if value <= 0:
        raise ZeroDivisionError
    found = max(floor(value / step + Fraction(1, 2)), 1) * step
    return found if found >= Fraction(9, 10) * value else found + step


# how an operation is written, and what it is by Python's own fractions
OPERATIONS: dict[str, Callable[[Fraction, Fraction], Any]] = {
    "({} + {})": lambda a, b: a + b,
    "({} - {})": lambda a, b: a - b,
    "({} * {})": lambda a, b: a * b,
    "({} / {})": lambda a, b: a / b,
    "({} // {})": lambda a, b: floor(a / b),
    "({} % {})": lambda a, b: a - b * floor(a / b),
    "min({}, {})": min,
    "max({}, {})": max,
    "sum([{}, {}])": lambda a, b: a + b,
    "floor({} + {})": lambda a, b: floor(a + b),
    "ceil({} * {})": lambda a, b: ceil(a * b),
    "round_to({}, {})": nearest,
    "(3 if {} < {} else 5)": lambda a, b: 3 if a < b else 5,
    "(1 if {} == {} else -1)": lambda a, b: 1 if a == b else -1,
    "(0.5 * ({} >= {}))": lambda a, b: Fraction(int(a >= b), 2),
}
LEAVES = ["w", "v", "n", "1", "2", "8", "0.5", "0.9", "1.25", "32"]
trees: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.tuples(st.sampled_from(sorted(OPERATIONS)), inner, inner),
    max_leaves=6,
)
points = st.fixed_dictionaries(
    {"w": st.integers(-40, 260), "v": st.integers(-9, 30), "n": st.integers(-2, 9)}
)


HALF_UP = ({"w": 35, "v": 1, "n": 1}, {"w": 34, "v": 1, "n": 1})


def written(tree: Any) -> str:
    return tree if isinstance(tree, str) else tree[0].format(written(tree[1]), written(tree[2]))


def truth(tree: Any, point: Mapping[str, int]) -> Fraction:
    if isinstance(tree, str):
        known = point.get(tree)
        return Fraction(tree) if known is None else Fraction(known, DENOMINATORS[tree])
    name, left, right = tree
    a, b = truth(left, point), truth(right, point)
    if name == "round_to({}, {})":
        assume(b > 0)
    return Fraction(OPERATIONS[name](a, b))


def record(text: str, point: Mapping[str, int]) -> tuple[Program, Any]:
    program = Program()
    values = {k: ratio(program.variable(k, v), DENOMINATORS[k]) for k, v in point.items()}
    return program, evaluate(parse(text), values.__getitem__)


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees, points, points)
@example(
    ("round_to({}, {})", ("({} * {})", "32", "w"), "8"), *[{"w": w, "v": 1, "n": 1} for w in (35, 34)]
)
@example(("({} / {})", "w", "v"), {"w": 1, "v": 3, "n": 1}, {"w": 1, "v": -3, "n": 1})
@example(("({} % {})", "w", "0.5"), {"w": -1, "v": 3, "n": 1}, {"w": 99, "v": -3, "n": 1})
def test_programs_compute_what_fractions_do(tree: Any, a: dict[str, int], b: dict[str, int]) -> None:
    """At the recorded point, and at any other one for which the guards come out alike."""
    try:
        expected = truth(tree, a)
    except ZeroDivisionError:
        with pytest.raises(ArchError):
            record(written(tree), a)
        return
    program, result = record(written(tree), a)
    assert Fraction(recorded(result)) == expected
    there = program.evaluate(b, parts(result))
    if there.same_structure:
        assert Fraction(*there.results) == truth(tree, b)


@pytest.mark.parametrize("step", ["1", "8", "0.25", "n"])
def test_rounding_is_one_program_for_all_widths(step: str) -> None:
    """Rounding decides nothing: the 90 % are a factor 0 or 1, so that a width makes no structure."""
    program, result = record(f"round_to(3*w, {step})", {"w": 1, "n": 8})
    size = Fraction(8) if step == "n" else Fraction(step)
    for w in range(1, 400):
        there = program.evaluate({"w": w, "n": 8}, parts(result))
        assert there.same_structure
        assert Fraction(*there.results) == nearest(Fraction(3 * w, 100), size)


def test_a_size_is_whole_or_not() -> None:
    """32·w at hundredths is whole at every 25th: a guard tells both apart, and fixes neither."""
    program, result = record("32*w", {"w": 50})
    assert recorded(settled(result)) == 16
    assert program.evaluate({"w": 75}, []).same_structure
    assert not program.evaluate({"w": 51}, []).same_structure
    program, result = record("32*w", {"w": 51})
    assert settled(result) == Fraction(32 * 51, 100)
    assert program.evaluate({"w": 52}, []).same_structure
    assert program.fixed == []
