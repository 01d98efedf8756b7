"""Grids by rows: the same points as one by one, and no box left out that has a point to keep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.formats import FLOAT32
from support.programs import SETS, case, trees

import archcalc
from archcalc.sweeps.evaluation import by_rows, run, stream
from archcalc.sweeps.evaluation.by_rows import bounds
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import Outcome, sweep
from archcalc.sweeps.machine import instructions, numpy_machine
from archcalc.sweeps.machine.vector_kept import RowKernel
from archcalc.sweeps.machine.vector_machine import PointDigits
from archcalc.sweeps.machine.vector_points import PointSource
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.code import compile_forms
from archcalc.sweeps.program.grid import compile_rows, fast_axes
from archcalc.sweeps.program.linear_forms import Forms, constant
from archcalc.sweeps.program.ranges import Range
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@settings(max_examples=120, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(SETS), min_size=4, max_size=4),
    st.lists(trees, max_size=3),
    st.lists(trees, min_size=1, max_size=3),
    st.integers(1, 14),
)
@example([range(-4, 5)] * 4, [0, ("!=", "w", "x"), ("-", "w", 5)], ["w"], 1)
def test_rows_give_what_points_give(
    values: list[Sequence[int]], checked: list[Any], results: list[Any], fast: int
) -> None:
    """For programs of all kinds and every choice of fast axes, at every point of the grid."""
    found = case(values, checked, results)
    names = list(found.simple.results.values())
    outputs = [found.simple.first, constant(1), *names]  # all satisfy
    code = compile_forms(found.simple.forms, outputs)
    if not (code.fits and found.simple.largest <= instructions.WORD):
        return
    quick = [bool(fast >> axis & 1) for axis in range(4)]
    written = compile_rows(found.simple.forms, outputs, quick)
    slow_axes = [axis for axis in range(4) if not quick[axis]]
    fast_axes = [axis for axis in range(4) if quick[axis]]
    slow = np.array(list(product(*(range(len(values[a])) for a in slow_axes))), np.int32)
    quickly = np.array(list(product(*(range(len(values[a])) for a in fast_axes))), np.int32)

    def computed(program: instructions.Code, axes: list[int], digits: Any) -> Any:
        inputs = [
            (axes.index(a) if a in axes else 0, numpy_machine.table(v)) for a, v in enumerate(values)
        ]
        return (
            numpy_machine.run(program, inputs, digits.T)
            if program.outputs
            else np.zeros((0, len(digits)), int)
        )

    shared = computed(written.once, fast_axes, quickly)
    numbers = computed(written.numbers, slow_axes, slow)
    kept = RowKernel(written.points, written.patches, shared, found.simple.passed).run(numbers, None)
    expected = []
    tally = [0] * (found.simple.passed + 1)
    for place, (row, column) in enumerate(product(slow.tolist(), quickly.tolist())):
        digits = dict(zip((*slow_axes, *fast_axes), (*row, *column), strict=True))
        first, _, *numbers_there = instructions.run(code, [values[a][digits[a]] for a in range(4)])
        tally[first] += 1
        if first == found.simple.passed:
            expected.append((place, numbers_there))
    assert kept.firsts[:, 0].tolist() == tally
    assert kept.satisfied == tally[-1]
    assert list(zip(kept.places.tolist(), kept.results.T.tolist(), strict=True)) == expected


@settings(max_examples=120, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(SETS), min_size=4, max_size=4),
    st.lists(trees, max_size=3),
    trees,
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 9)), min_size=4, max_size=4),
)
def test_bounds_of_a_box_hold_at_its_valid_points(
    values: list[Sequence[int]], checked: list[Any], result: Any, cut: list[tuple[int, int]]
) -> None:
    found = case(values, checked, [result])
    if not found.simple.results:
        return
    box = [v[a : a + n] or v for v, (a, n) in zip(values, cut, strict=True)]
    wanted = found.simple.results["0"]
    known = bounds(found.simple.forms, wanted, [ranges.of_values(v) for v in box])
    code = compile_forms(found.simple.forms, [found.simple.first, wanted])
    for point in product(*(v[:3] for v in box)):
        first, value = instructions.run(code, point)
        if first == found.simple.passed:
            assert known.low <= value <= known.high


def both(
    monkeypatch: pytest.MonkeyPatch, spec: str, varied: list[str], box: int, *words: Any
) -> list[Outcome]:
    """A sweep by rows, in small boxes, and point by point."""
    points = grid(make_space(archcalc.load(str(spec)), varied))
    asked = request(points, FLOAT32, *words, 12)
    monkeypatch.setattr(stream, "MANY", 0)
    monkeypatch.setattr(by_rows, "CHUNK", box)
    rowwise = sweep(asked, lambda points: None)
    monkeypatch.setattr(run, "layout", lambda engine: None)
    return [rowwise, sweep(asked, lambda points: None)]


VGG = [f"w[{i}]=64:256:64" for i in (0, 5)] + ["w[12]=64:512:8", "w[11]=64:512:64", "input=96:224:32"]
RESNET = ["stem=16:64:8", "w[0]=16:64:16", "w[3]=128:1024:64", "o[0]=64:512:64", "input=1:256:32"]


@pytest.mark.parametrize(
    ("spec", "varied", "words"),
    [
        ("vgg_space.toml", VGG, ("", "params,multiplies", "", None)),
        ("vgg_space.toml", VGG, ("multiplies <= 10G and output >= 4", "params,max:peak", "", None)),
        ("vgg_space.toml", VGG, ("multiplies <= 9G or peak <= 10MiB", "", "max:params", 9)),
        ("vgg_space.toml", VGG, ("multiplies <= 9G", "", "", None)),
        ("vgg_space.toml", ["w[12]=64:512:8"], ("", "params,max:peak", "", None)),  # a single row
        ("resnet_space.toml", RESNET, ("params <= 26M", "params,max:field,stored", "", None)),
        ("resnet_space.toml", [*RESNET, "k=2:5"], ("", "", "multiplies", 30)),
    ],
)
def test_a_grid_by_rows(
    spec: str, varied: list[str], words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rowwise, plainly = both(monkeypatch, str(BENCHMARKS / spec), varied, 5_000, *words)
    one, other = rowwise.collected, plainly.collected
    assert one.seen + rowwise.skipped == other.seen == rowwise.request.points.size
    assert one.kept == other.kept
    assert list(rowwise.rows()) == list(plainly.rows())
    if not rowwise.skipped:
        assert one.valid == other.valid
        assert rowwise.refusals() == plainly.refusals()


def test_boxes_that_cannot_satisfy_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 224 × 224 the first conv of 256 filters and the second of 64 alone take 7.7 G multiplies."""
    spec = str(BENCHMARKS / "vgg_space.toml")
    rowwise, plainly = both(monkeypatch, spec, VGG, 500, "multiplies <= 7G", "", "params", 3)
    assert 0 < rowwise.skipped < rowwise.request.points.size
    assert list(rowwise.rows()) == list(plainly.rows())


def test_the_fast_axes_leave_least_to_do() -> None:
    """x·y·z + 3·(y·z) over x, y, z of 100: rows of x leave one product, those of y or z two."""
    forms = Forms()
    x, y, z = (forms.input(i, Range(1, 100)) for i in range(3))
    forms.multiply(x, forms.multiply(y, z))
    assert fast_axes(forms, [0, 1, 2], [100, 100, 100]) == (0,)
    assert fast_axes(forms, [0, 1, 2], [9, 9, 5000]) == (0, 1)
    assert fast_axes(forms, [0, 1, 2], [5000, 2, 5000]) == ()


def test_points_are_counted_alike() -> None:
    """The kernel's counting of a grid against that of the definition, over the end of an axis."""
    lengths = (3, 1, 7, 1 << 20)
    kernel = PointDigits(PointSource(lengths, None))
    for start in ((0, 0, 0, 0), (1, 0, 6, (1 << 20) - 1000), (0, 0, 0, 5)):
        begin = ((start[0] * 1 + start[1]) * 7 + start[2] << 20) + start[3]
        found = kernel.read(begin, begin + 3_000)
        assert (found == numpy_machine.counted(lengths, start, 3_000)).all()
        last = (start[3] + 2_999) % (1 << 20)
        assert found[:, -1].tolist()[-1] == last


def test_a_program_that_holds_only_somewhere_has_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bottleneck (0) is another structure: 120,422,400 multiplies, not 150,528·0 + 627,200·0."""
    points = grid(make_space(archcalc.load("inception"), ["bottleneck=0:32:4", "n5=8:64:2", "n1=16,64"]))
    monkeypatch.setattr(stream, "MANY", 0)
    outcome = sweep(
        request(points, FLOAT32, "n5 == 32 and n1 == 64", "", "max:multiplies", 2, 1), lambda _: None
    )
    found = {row.values["bottleneck"]: row.metrics["multiplies"] for row in outcome.rows()}
    assert found == {"0": 308_281_344, "32": 308_281_344 - 120_422_400 + 777_728 * 32}
