"""Compiled programs, drawn points and filters against Python's integers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.formats import formats_of
from archcalc.sweeps.evaluation import run, stream
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import Outcome, sweep
from archcalc.sweeps.machine import instructions, shuffle, vector_kept
from archcalc.sweeps.machine.instructions import MANTISSA, WORD, Code
from archcalc.sweeps.machine.vector_kept import PointKernel
from archcalc.sweeps.machine.vector_machine import BREAK_EVEN, CompiledCode, PointDigits, VectorMachine
from archcalc.sweeps.machine.vector_points import PointSource
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid, sample

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
EDGES = [0, 1, -1, 2, -2, 7, -7, 8, 1000, -1000, 2**31, -(2**31) - 1]
SMALL = [*EDGES, MANTISSA - 1, 1 - MANTISSA, MANTISSA - 3, 999_999_999_989 * 1_000 - 1]
LARGE = [*SMALL, WORD, -WORD - 1, WORD - 1]


@pytest.mark.parametrize(
    ("operation", "left", "right", "numbers"),
    [
        (instructions.MULTIPLY, EDGES, EDGES, [(0, 0)]),
        (instructions.ADD, SMALL, SMALL, [(0, 0)]),
        (instructions.ADD_MULTIPLE, EDGES, SMALL, [(1, 0), (-3, 0), (2**31, 0)]),
        (instructions.AFFINE, EDGES, [0], [(1, 0), (0, 5), (-3, 2**40), (2**31, -1)]),
        (instructions.DIVIDE, LARGE, LARGE, [(0, 0)]),
        (instructions.MODULO, LARGE, LARGE, [(0, 0)]),
        (instructions.DIVIDE_BY, LARGE, [0], [(1, 0), (3, 0), (7, 0), (2**40 + 1, 0), (WORD, 0)]),
        (instructions.DIVIDE_SMALL, SMALL, [x for x in SMALL if x > 0], [(0, 0)]),
        (instructions.DIVIDE_SMALL_BY, SMALL, [0], [(1, 0), (3, 0), (1000, 0), (MANTISSA - 1, 0)]),
        (instructions.SHIFT, LARGE, [0], [(1, 0), (31, 0), (62, 0)]),
        (instructions.MIN, LARGE, LARGE, [(0, 0)]),
        (instructions.MAX, LARGE, LARGE, [(0, 0)]),
        (instructions.POSITIVE, LARGE, [0], [(0, 0)]),
        (instructions.ZERO, LARGE, [0], [(0, 0)]),
    ],
)
def test_each_operation_is_that_of_integers(
    operation: int, left: list[int], right: list[int], numbers: list[tuple[int, int]]
) -> None:
    written = tuple((operation, 2 + i, 0, 1, s, t) for i, (s, t) in enumerate(numbers))
    outputs = tuple(range(2, 2 + len(numbers)))
    code = Code(written, 2 + len(numbers), {0: 0, 1: 1}, outputs, True)
    digits = np.indices((len(left), len(right)), np.int32).reshape(2, -1)
    inputs = [(0, np.array(left, np.int64)), (1, np.array(right, np.int64))]
    found = CompiledCode(code, inputs, 2).run(digits)
    for column, (i, j) in zip(found.T.tolist(), digits.T.tolist(), strict=True):
        exact = instructions.run(code, [left[i], right[j]])
        assert column == [(x + WORD + 1) % (2 * WORD + 2) - WORD - 1 for x in exact], (left[i], right[j])


def test_small_quotients_are_exact_wherever_they_are_allowed() -> None:
    """Around multiples of the divisor, where a rounding would show: k·s − 1, k·s and k·s + 1."""
    source = random.Random(3)
    for divisor in [1, 3, 10, 127, 2**20 + 7, *(source.randrange(1, 2**45) for _ in range(12))]:
        most = (MANTISSA - 2) // divisor
        factors = [source.randint(-most, most) for _ in range(300)] + [most, -most]
        values = [k * divisor + d for k in factors for d in (-1, 0, 1)]
        code = Code(((instructions.DIVIDE_SMALL_BY, 1, 0, 0, divisor, 0),), 2, {0: 0}, (1,), True)
        program = CompiledCode(code, [(0, np.array(values, np.int64))], 1)
        found = program.run(np.arange(len(values), dtype=np.int32)[None])
        assert found[0].tolist() == [value // divisor for value in values]


@pytest.mark.parametrize(
    "lengths", [(3, 2, 5), (1 << 19, 3, 2, 1), (7, 64, 2, 1000), (16, 16), (9,) * 30]
)
def test_points_are_drawn_as_defined(lengths: tuple[int, ...]) -> None:
    """Groups and axes shorter than a vector, powers of two, and more groups than two."""
    plan = shuffle.plan(lengths, seed=11)
    size = int(np.prod([float(n) for n in lengths]))
    for source in (PointSource(lengths, plan), PointSource(lengths, None)):
        kernel = PointDigits(source)
        for begin in {0, min(size, 10**12) // 3, max(min(size, 10**12) - 41, 0)}:
            count = min(41, size - begin)
            found = kernel.read(begin, begin + count).T.tolist()
            for number, digits in enumerate(found, begin):
                if source.plan is None:
                    assert digits == _digits(lengths, number)
                else:
                    assert digits == shuffle.digits(plan, lengths, shuffle.draw(plan, number))


def _digits(lengths: tuple[int, ...], number: int) -> list[int]:
    found = []
    for length in reversed(lengths):
        number, digit = divmod(number, length)
        found.append(digit)
    return found[::-1]


@pytest.mark.parametrize("points", [0, vector_kept.FAR])
@pytest.mark.parametrize("count", [1, 7, 8, 100])
def test_a_filter_keeps_what_no_bar_beats(points: int, count: int) -> None:
    """x·y over two axes: x above 2, x·y odd where it matters, the bar x·y = 20 with −x = −9."""
    product, negative, odd, three, check = range(2, 7)
    code = Code(
        (
            (instructions.MULTIPLY, product, 0, 1, 0, 0),
            (instructions.AFFINE, negative, 0, 0, -1, 0),
            (instructions.AFFINE, three, 0, 0, 1, -3),
            (instructions.POSITIVE, check, three, 0, 0, 0),
            (instructions.AFFINE, odd, 1, 0, 1, -5),
        ),
        7,
        {0: 0, 1: 1},
        (check, odd, product, negative),
        True,
    )
    xs, ys = list(range(12)), [1, 4, 5, 6, 9, 30, 31]
    inputs = [(0, np.array(xs, np.int64)), (1, np.array(ys, np.int64))]
    kernel = PointKernel(PointSource((12, 7), None), code, inputs, 1, points)
    count = min(count, 84 - 30)
    found = kernel.run(30, 30 + count, np.array([[20], [-9]], np.int64))
    failed, satisfied, kept = [], 0, []
    for place, number in enumerate(range(30, 30 + count)):
        x, y = xs[number // 7], ys[number % 7]
        if x < 3:
            failed.append(place)
        elif y != 5:
            satisfied += 1
            if x * y < 20 or -x < -9 or (x * y == 20 and x == 9):
                kept.append((place, x * y, -x))
    assert found.satisfied == satisfied
    assert found.firsts.tolist() == [
        [len(failed), failed[0] if failed else -1],
        [count - len(failed), -1],
    ]
    assert list(zip(found.places.tolist(), *found.results.tolist(), strict=True)) == kept


@pytest.mark.parametrize(
    ("spec", "varied", "words"),
    [
        ("vgg_space.toml", [], ("", "params,multiplies", "", None)),
        (
            "vgg_space.toml",
            [],
            ("multiplies <= 9G and peak <= 30MiB", "params,max:peak,field", "", None),
        ),
        ("vgg_space.toml", [], ("", "", "max:multiplies", 7)),
        ("resnet_space.toml", [], ("params <= 26M", "", "", None)),
        (
            "vgg_space.toml",
            ["w[0]=8:512:8", "w[1]=8:512", "input=1:224"],
            ("", "params,field", "", None),
        ),
    ],
)
def test_a_sample_by_one_kernel(
    spec: str, varied: list[str], words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = sample(make_space(archcalc.load(str(BENCHMARKS / spec)), varied), 30_000, 5)
    asked = request(points, formats_of("float32"), *words, 12)
    plainly = sweep(asked, lambda points: None)
    monkeypatch.setattr(stream, "MANY", 0)
    monkeypatch.setattr(stream, "LARGE", 1_111)
    setup = run.prepare(asked, False)
    assert setup.numbered is not None
    compiled = sweep(asked, lambda points: None)
    _same(compiled, plainly)


def test_a_grid_of_one_row_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """No axis makes a row of 64 points: the grid goes by number."""
    points = grid(make_space(archcalc.load("inception"), ["n5=8:64:2", "input=7,14"]))
    asked = request(points, formats_of("float32"), "", "params,max:multiplies", "", None, 12)
    plainly = sweep(asked, lambda points: None)
    monkeypatch.setattr(stream, "MANY", 0)
    assert run.prepare(asked, False).numbered is not None
    _same(sweep(asked, lambda points: None), plainly)


def _same(one: Outcome, other: Outcome) -> None:
    assert list(one.rows()) == list(other.rows())
    assert one.refusals() == other.refusals()
    for name in ("seen", "valid", "kept"):
        assert getattr(one.collected, name) == getattr(other.collected, name)
    assert one.collected.seen == one.request.points.size


def test_a_program_is_compiled_where_it_pays() -> None:
    code = Code(((instructions.AFFINE, 1, 0, 0, 3, 1),), 2, {0: 0}, (1,), True)
    machine, inputs = VectorMachine(), [(0, np.arange(10))]
    digits = np.zeros((1, BREAK_EVEN // 2), np.int32)
    for expected in (0, 1, 1):
        assert machine.run(code, inputs, digits)[0, 0] == 1
        assert len(machine._programs) == expected
