"""Keep of points those that satisfy a condition and that no known point beats, in machine code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archcalc.sweeps.machine.instructions import Code
from archcalc.sweeps.machine.vector_compiler import LANES, Kernel, arguments, end, loop, new_text
from archcalc.sweeps.machine.vector_filter import BARS, Filter, FilterPlaces, scratch, write_filter
from archcalc.sweeps.machine.vector_machine import Inputs, tables_of, write_inputs
from archcalc.sweeps.machine.vector_points import PointSource, write_digits
from archcalc.sweeps.machine.vector_text import FunctionBody, write_program
from archcalc.tuples import NamedTuple

Array = np.ndarray[Any, Any]
NO_BAR = np.iinfo(np.int64).max  # every point is below
FAR = 1 << 24  # points from which two vectors at a time pay: their steps overlap


class KeptPoints(NamedTuple):
    """Points that satisfy the condition and may be useful, by place, with their results.

    Attributes:
        firsts: how many points fail first at each check (the last: pass), and the place of the
            first, −1 if there is none.
        satisfied: the number of points that satisfy the condition.
    """

    places: Array
    results: Array
    firsts: Array
    satisfied: int


class _Sieve:
    """A kernel that keeps points: it writes the filter, and makes the arrays that it fills."""

    def __init__(self, code: Code, passed: int, lanes: int) -> None:
        self.outputs, self.goals = code.outputs, len(code.outputs) - 2
        self.passed, self.lanes = passed, lanes

    def write(
        self, text: FunctionBody, registers: Mapping[int, str], place: str, left: str, kept: FilterPlaces
    ) -> None:
        """Write the filter of vectors from a place on, of which `left` points are there."""
        first, where, *goals = (registers[output] for output in self.outputs)
        found = Filter(first, where, goals, self.passed, place, left)
        write_filter(text, found, kept, "points.next")

    def run(self, kernel: Kernel, most: int, bars: Array | None, *given: int | Array) -> KeptPoints:
        """Call the kernel on at most so many points."""
        counts, room = np.zeros(3, np.int64), np.empty(scratch(self.goals, self.lanes), np.int64)
        firsts = np.zeros((self.passed + 1, 2), np.int64)
        firsts[:, 1] = -1
        places, results = np.empty(most, np.int64), np.empty((self.goals, most), np.int64)
        known = np.full((BARS, self.goals), NO_BAR, np.int64)
        if bars is not None:
            known[:] = bars[:, np.linspace(0, bars.shape[1] - 1, BARS).astype(np.int64)].T
        kernel(*given, counts, firsts, places, results, most, known, room)
        valid, satisfied, kept = counts.tolist()
        firsts[self.passed, 0] = valid
        return KeptPoints(places[:kept], results[:, :kept], firsts, satisfied)


class PointKernel:
    """Points by number, drawn or counted.

    The program gives the first failing check, the condition, and what is minimized.
    """

    def __init__(
        self, source: PointSource, code: Code, inputs: Inputs, passed: int, points: int = 0
    ) -> None:
        """`points` is how many it will run."""
        text = new_text(2 * LANES if points >= FAR else LANES)
        self.source, self.tables = source, tables_of(inputs)
        self.sieve = _Sieve(code, passed, text.lanes)
        count, state, tables, *kept = arguments(text, "count", "state", "tables", *FilterPlaces._fields)
        with loop(text, "points", text.lanes, count, "entry", "end") as i:
            digits = write_digits(text, source, state)
            registers = write_inputs(text, code, inputs, digits, tables)
            write_program(text, code.instructions, registers, {})
            self.sieve.write(text, registers, i, text.scalar("sub", count, i), FilterPlaces(*kept))
        end(text, "end")
        self.kernel = Kernel(text)

    def run(self, begin: int, end: int, bars: Array | None) -> KeptPoints:
        """Run points `begin` to `end` − 1; places count from `begin`.

        Points that one of the `bars` [goal, bar] dominates need not be kept.
        """
        state, count = np.array(self.source.start(begin), np.int64), end - begin
        return self.sieve.run(self.kernel, count, bars, count, state, self.tables)


class RowKernel:
    """Rows of a grid; a row's numbers replace some of the program: see `sweeps.program.grid`."""

    def __init__(
        self, code: Code, patches: Sequence[tuple[int, int, int]], shared: Array, passed: int
    ) -> None:
        """`shared` are the values of the fast axes [value, point]."""
        text = new_text()
        self.width = shared.shape[1]
        room = -(-self.width // LANES) * LANES
        self.shared = np.pad(shared, ((0, 0), (0, room - self.width)))
        self.sieve = _Sieve(code, passed, LANES)
        rows, numbers, values, *kept = arguments(
            text, "rows", "numbers", "values", *FilterPlaces._fields
        )
        with loop(text, "rows", 1, rows, "entry", "end") as row:
            spread = {}
            for number in {number for _, _, number in patches}:
                at = text.scalar("add", text.scalar("mul", rows, number), row)
                spread[number] = text.spread(text.load("i64", text.address(numbers, at)))
            patched = {(i, field): spread[number] for i, field, number in patches}
            start = text.scalar("mul", row, self.width)
            with loop(text, "points", LANES, str(self.width), "rows", "rows.next") as i:
                registers = {}
                for number, register in code.inputs.items():
                    at = text.address(values, text.scalar("add", i, number * room))
                    registers[register] = text.load(text.integers, at)
                write_program(text, code.instructions, registers, patched)
                place, left = text.scalar("add", start, i), text.scalar("sub", self.width, i)
                self.sieve.write(text, registers, place, left, FilterPlaces(*kept))
        end(text, "end")
        self.kernel = Kernel(text)

    def run(self, numbers: Array, bars: Array | None) -> KeptPoints:
        """Run rows whose numbers are [number, row]; as `PointKernel.run`."""
        rows = numbers.shape[1]
        numbers = np.ascontiguousarray(numbers, np.int64)
        return self.sieve.run(self.kernel, rows * self.width, bars, rows, numbers, self.shared)
