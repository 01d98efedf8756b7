"""Evaluate a whole grid row by row; skip boxes of rows in which no point can satisfy the condition.

A box is a range of the slow axes. The range of the condition over a box says whether any of its points
can satisfy it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.machine.instructions import Code
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.grid import compile_rows, fast_axes
from archcalc.sweeps.program.linear_forms import Form, Forms
from archcalc.sweeps.program.ranges import Range
from archcalc.tuples import NamedTuple

CHUNK = 1 << 20  # the points of a box that is not split further


class Box(NamedTuple):
    """A part of a grid: fixed digits of the slowest axes, and digits `low` to `high` − 1 of the next."""

    fixed: tuple[int, ...]
    low: int
    high: int


def bounds(forms: Forms, wanted: Form, inputs: Sequence[Range]) -> Range:
    """Return the range of a form whose inputs are in narrower ranges than those of `forms`."""
    found: list[Range] = []
    for (name, parts, number), known in zip(forms.atoms, forms.ranges, strict=True):
        if name == "input":
            found.append(inputs[number])
            continue
        ends = [_of(form, found) for form in parts]
        if name == "*":
            own = ranges.product(*ends)
        elif name == "//":
            own = ranges.quotient(*ends)
        elif name == "%":
            own = ranges.remainder(*ends)
        elif name in ("min", "max"):
            own = ranges.extreme(name, ends)
        elif name == "positive":
            own = Range(int(ends[0].low >= 0), int(ends[0].high >= 0))
        else:
            low, high = ends[0][:2]
            own = Range(int(low == high == 0), int(low <= 0 <= high))
        # earlier checks hold here too; if they contradict each other, no point is valid
        narrow = Range(max(own.low, known.low), min(own.high, known.high), own.step, own.rest)
        found.append(narrow if narrow.low <= narrow.high else own)
    return _of(wanted, found)


def _of(form: Form, found: Sequence[Range]) -> Range:
    return ranges.linear(((c, found[a]) for a, c in form.terms), form.constant)


class RowLayout(NamedTuple):
    """The split of a grid: the axes of a row, the other axes from the slowest on, and their sizes."""

    fast: tuple[int, ...]
    slow: tuple[int, ...]
    width: int
    rows: int


def layout(engine: Engine) -> RowLayout | None:
    """Return the layout with the least work per point; None if no single program is valid everywhere."""
    structure, points = engine.structures.whole(), engine.points
    if structure is None or points.plan or points.chosen is not None:
        return None
    fast = fast_axes(structure.simple.forms, [c.axis for c in engine.structures.columns], points.lengths)
    if not fast:
        return None
    slow = tuple(axis for axis in range(len(points.lengths)) if axis not in fast)
    width = prod(points.lengths[axis] for axis in fast)
    return RowLayout(fast, slow, width, points.size // width)


class RowGrid:
    """The rows of an engine's grid, in chunks for `Stream`. `skipped` points are never evaluated."""

    def __init__(self, engine: Engine, layout: RowLayout, signs: Sequence[int]) -> None:
        from archcalc.sweeps.machine import numpy_machine
        from archcalc.sweeps.machine.vector_kept import RowKernel

        structure = engine.structures.whole()
        assert structure is not None
        self.engine, self.layout, self.structure, self.skipped = engine, layout, structure, 0
        simple, lengths = structure.simple, engine.points.lengths
        outputs = engine.outputs(structure, signs)
        self.where = outputs[1] if outputs[1].known is None else None
        quick = [column.axis in layout.fast for column in engine.structures.columns]
        self.code = compile_rows(simple.forms, outputs, quick)
        self.lengths = [lengths[axis] for axis in layout.slow]
        self.strides = [prod(lengths[axis + 1 :]) for axis in range(len(lengths))]
        fast = numpy_machine.counted(
            [lengths[axis] for axis in layout.fast], [0] * len(layout.fast), layout.width
        )
        shared = self._computed(self.code.once, layout.fast, fast)
        self.offsets = self._numbers(layout.fast, fast)
        self.rows = RowKernel(self.code.points, self.code.patches, shared, simple.passed)

    def _computed(self, code: Code, axes: Sequence[int], digits: Any) -> Any:
        """Return the results of a program over some axes."""
        if not code.outputs:
            return self.engine.lanes.blank(0, digits.shape[1])
        place = {axis: i for i, axis in enumerate(axes)}
        inputs = [(place.get(axis, 0), values) for axis, values in self.engine.structures.inputs]
        return self.engine.executor.run(code, inputs, digits)

    def _numbers(self, axes: Sequence[int], digits: Any) -> Any:
        """Return the share of digits on some axes in a point's number."""
        found = self.engine.lanes.blank(1, digits.shape[1])[0]
        for axis, row in zip(axes, digits, strict=True):
            found += row.astype("int64") * self.strides[axis]
        return found

    def boxes(self, most: Callable[[], int] = lambda: CHUNK, box: Box | None = None) -> Iterator[Box]:
        """Yield boxes of limited size in order, of the whole grid or of one box of it.

        Boxes in which no point can satisfy the condition are skipped.
        """
        if not self.lengths:
            yield Box((), 0, 1)
            return
        waiting = [box or Box((), 0, self.lengths[0])]
        while waiting:
            box = waiting.pop()
            fixed, low, high = box
            inner = prod(self.lengths[len(fixed) + 1 :])
            count = (high - low) * inner
            if self.where is not None and self._bounds(box).high <= 0:
                self.skipped += count * self.layout.width
            elif count * self.layout.width <= most():
                yield box
            elif high - low > 1:
                middle = (low + high) // 2
                waiting += [Box(fixed, middle, high), Box(fixed, low, middle)]
            elif len(fixed) + 1 < len(self.lengths):
                waiting.append(Box((*fixed, low), 0, self.lengths[len(fixed) + 1]))
            else:
                yield box

    def span(self, box: Box) -> tuple[int, int]:
        """Return the first and last row of a box."""
        fixed, low, high = box
        inner = prod(self.lengths[len(fixed) + 1 :])
        begin = self._row((*fixed, low)) * inner
        return begin, begin + (high - low) * inner

    def _row(self, digits: Sequence[int]) -> int:
        number = 0
        for digit, length in zip(digits, self.lengths, strict=False):
            number = number * length + digit
        return number

    def _bounds(self, box: Box) -> Range:
        """Return the range of the condition over a box of the slow axes."""
        slow, inputs = self.layout.slow, []
        fixed = box.fixed
        for column in self.engine.structures.columns:
            place = slow.index(column.axis) if column.axis in slow else len(slow)
            values = column.values
            if place < len(fixed):
                values = values[fixed[place] : fixed[place] + 1]
            elif place == len(fixed):
                values = values[box.low : box.high]
            inputs.append(ranges.of_values(values))
        assert self.where is not None
        return bounds(self.structure.simple.forms, self.where, inputs)

    def run(self, begin: int, end: int, collector: Collector) -> int:
        """Evaluate the rows from `begin` to `end` − 1, collect useful points; return their number."""
        from archcalc.sweeps.machine import numpy_machine

        start = []
        number = begin
        for length in reversed(self.lengths):
            number, digit = divmod(number, length)
            start.append(digit)
        digits = numpy_machine.counted(self.lengths, start[::-1], end - begin)
        numbers = self._computed(self.code.numbers, self.layout.slow, digits)
        kept = self.rows.run(numbers, collector.bars())
        bases, width = self._numbers(self.layout.slow, digits), self.layout.width

        def number_of(places: Any) -> Any:
            return bases[places // width] + self.offsets[places % width]

        collector.add_rows(kept, self.structure.outcomes, number_of)
        return (end - begin) * width
