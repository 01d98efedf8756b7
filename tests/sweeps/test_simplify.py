"""Simplified programs give what the recorded ones give, on every executor, and their bounds hold."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.programs import SETS, Case, case, trees

from archcalc.arithmetic import maximum, require
from archcalc.sweeps.machine import instructions, numpy_machine
from archcalc.sweeps.machine.vector_machine import VectorMachine
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.code import compile_forms
from archcalc.sweeps.program.linear_forms import Forms
from archcalc.sweeps.program.ranges import Range
from archcalc.sweeps.program.simplify import simplify
from archcalc.symbols import OPERATIONS, Guard, Int, Program, Symbol


@pytest.mark.parametrize("name", ["product", "quotient", "remainder", "min", "max", "linear"])
def test_ranges_hold_every_value(name: str) -> None:
    """All pairs of values of two sets, by Python's own arithmetic."""
    for xs, ys in product(SETS, SETS):
        a, b = ranges.of_values(xs), ranges.of_values(ys)
        found = {
            "product": lambda a=a, b=b: ranges.product(a, b),
            "quotient": lambda a=a, b=b: ranges.quotient(a, b),
            "remainder": lambda a=a, b=b: ranges.remainder(a, b),
            "min": lambda a=a, b=b: ranges.extreme("min", [a, b]),
            "max": lambda a=a, b=b: ranges.extreme("max", [a, b]),
            "linear": lambda a=a, b=b: ranges.linear([(3, a), (-2, b)], 5),
        }[name]()
        for x, y in product(xs, ys):
            value = {
                "product": x * y,
                "quotient": x // y if y else 0,
                "remainder": x % y if y else 0,
                "min": min(x, y),
                "max": max(x, y),
                "linear": 3 * x - 2 * y + 5,
            }[name]
            assert found.low <= value <= found.high
            assert value == found.rest if found.step == 0 else (value - found.rest) % found.step == 0


def test_a_range_is_cut_to_its_step() -> None:
    assert ranges.of_values(range(8, 65, 8)).within(low=9, high=50) == Range(16, 48, 8, 0)
    assert ranges.of_values([4]) == Range(4, 4, 0, 4)
    assert ranges.of_values([4, 10, 7]) == Range(4, 10, 3, 1)


def expected(case: Case, point: dict[str, int]) -> tuple[int, list[int], list[int]]:
    """The first failing check, the results and all values, by running the recorded instructions."""
    values: list[int] = []
    for name, a, b in case.program.instructions:
        if name == "constant":
            values.append(a)
        elif name == "input":
            values.append(point[case.program.inputs[a]])
        else:
            values.append(int(OPERATIONS[name](values[a], values[b])))
    failing = [
        i
        for i, c in enumerate(case.program.checks)
        if bool(values[c.condition]) != (bool(c.outcome) if isinstance(c, Guard) else True)
    ]
    results = [values[r.index] if isinstance(r, Symbol) else int(r) for r in case.results]
    return failing[0] if failing else len(case.program.checks), results, values


@settings(max_examples=400, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(SETS), min_size=4, max_size=4),
    st.lists(trees, max_size=4),
    st.lists(trees, min_size=1, max_size=3),
)
def test_all_executors_give_what_was_recorded(
    values: list[Sequence[int]], checked: list[Any], results: list[Any]
) -> None:
    found = case(values, checked, results)
    names = found.simple.results
    code = compile_forms(found.simple.forms, [found.simple.first, *names.values()])
    draw = random.Random(1)
    digits = np.array([[draw.randrange(len(v)) for _ in range(20)] for v in values], np.int32)
    points = [[int(v[d]) for v, d in zip(values, column, strict=True)] for column in digits.T.tolist()]
    plain = [instructions.run(code, point) for point in points]
    for point, (first, *got) in zip(points, plain, strict=True):
        should, numbers, every = expected(found, dict(zip("wxyz", point, strict=True)))
        assert first == should
        if first == found.simple.passed:
            assert names
            assert got == numbers
            assert max(map(abs, every)) <= found.simple.largest
    if code.fits and found.simple.largest <= instructions.WORD:
        inputs = [(i, numpy_machine.table(v)) for i, v in enumerate(values)]
        lines = [i for i, (first, *_) in enumerate(plain) if first == found.simple.passed]
        for executor in (numpy_machine, VectorMachine(after=0)):
            rows = executor.run(code, inputs, digits)
            assert rows[0].tolist() == [first for first, *_ in plain]
            assert rows[:, lines].T.tolist() == [plain[i] for i in lines]


def test_what_does_not_fit_is_known() -> None:
    forms = Forms()
    x = forms.input(0, Range(0, 2**32))
    squared = forms.multiply(x, x)
    assert not compile_forms(forms, [squared]).fits
    assert compile_forms(forms, [forms.add(x, x)]).fits
    assert not compile_forms(forms, [forms.scale(x, 2**31)]).fits
    assert instructions.run(compile_forms(forms, [squared]), [2**32]) == [2**64]


def test_repeats_collapse_and_idle_candidates_vanish() -> None:
    """n equal layers are one product with a coefficient; of live sets a ⊂ b only b can be the peak."""
    program = Program()
    w, h = program.variable("w", 8), program.variable("h", 4)
    total: Int = 0
    peak: Int = 0
    for _ in range(50):
        total = total + 9 * (w * w)
        peak = maximum(maximum(peak, w * h), w * h + w)
    known = {"w": Range(8, 64, 8, 0), "h": Range(1, 9)}
    simple = simplify(program, (), {"total": total, "peak": peak, "half": w // 2 % 4}, known)
    forms, found = simple.forms, simple.results
    assert [c for _, c in found["total"].terms] == [450]
    assert len(found["peak"].terms) == 2  # w·h + w
    assert found["half"].known == 0  # w is a multiple of 8
    assert len(compile_forms(forms, [found["total"], found["peak"]]).instructions) == 4


def test_checks_narrow_what_comes_after_them() -> None:
    program = Program()
    x = program.variable("x", 8)
    require(x >= 5, "small")
    clipped = maximum(x, 5)
    assert x > 2
    simple = simplify(program, program.checks, {"clipped": clipped}, {"x": Range(0, 9)})
    assert simple.results["clipped"].atom == 0  # x itself
    code = compile_forms(simple.forms, [simple.first])
    assert [instructions.run(code, [x])[0] for x in (0, 4, 5, 9)] == [0, 0, 2, 2]


def test_a_requirement_may_be_any_number() -> None:
    """What is not 0 holds."""
    program = Program()
    x = program.variable("x", 3)
    assert isinstance(x, Symbol)
    require(x - 1, "one")
    simple = simplify(program, program.checks, {"x": x}, {"x": Range(0, 9)})
    code = compile_forms(simple.forms, [simple.first])
    assert [instructions.run(code, [x])[0] for x in (0, 1, 2, 9)] == [1, 0, 1, 1]


def test_a_check_that_fails_everywhere() -> None:
    program = Program()
    x = program.variable("x", 3)
    assert x < 5
    simple = simplify(program, program.checks, {"x": x}, {"x": Range(6, 9)})
    assert (simple.results, simple.first.known) == ({}, 0)


@pytest.mark.parametrize("divisor", [-7, -1, 0, 1, 3])
def test_division_is_total_at_the_limits(divisor: int) -> None:
    """Also of the least number by −1, where a processor would trap: wrapped, but no crash."""
    least, most = -(2**63), 2**63 - 1
    inputs = [(0, np.array([least, most, -8, 8])), (1, np.array([divisor]))]
    digits = np.array([[0, 1, 2, 3], [0, 0, 0, 0]], np.int32)
    operations = (instructions.DIVIDE, instructions.MODULO)
    written = tuple((op, 2 + i, 0, 1, 0, 0) for i, op in enumerate(operations))
    code = instructions.Code(written, 4, {0: 0, 1: 1}, (2, 3), True)
    for executor in (numpy_machine, VectorMachine(after=0)):
        found = executor.run(code, inputs, digits)
        assert found[:, 2:].T.tolist() == [instructions.run(code, [x, divisor]) for x in (-8, 8)]
