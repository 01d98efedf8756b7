"""Run the register machine over the rows of a grid, keeping only points that satisfy a condition.

Numbers of the row are inserted into the instructions; values that all rows share stay in their
registers. See `archcalc.sweeps.program.grid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from archcalc.compiled import compiled
from archcalc.sweeps.machine.instructions import Code
from archcalc.sweeps.machine.numba_machine import execute
from archcalc.tuples import NamedTuple

Array = np.ndarray[Any, Any]


class KeptRows(NamedTuple):
    """Points of some rows that satisfy the condition and may be useful, by place, with their results.

    Attributes:
        firsts: how many points fail first at each check (the last: pass), and the place of the
            first, −1 if there is none.
        satisfied: the number of points that satisfy the condition.
    """

    places: Array
    results: Array
    firsts: Array
    satisfied: int


@compiled
def _run(
    program: Array,
    patches: Array,
    numbers: Array,
    values: Array,
    width: int,
    outputs: Array,
    passed: int,
    bar: Array,
    firsts: Array,
    places: Array,
    results: Array,
) -> tuple[int, int]:
    """Run rows; outputs are the first failing check, the condition, and the objectives to minimize."""
    count = satisfied = 0
    mask = np.empty(width, np.bool_)
    first = values[outputs[0] * width : outputs[0] * width + width]
    where = values[outputs[1] * width : outputs[1] * width + width]
    for row in range(numbers.shape[1]):
        for i in range(patches.shape[0]):
            program[patches[i, 0], patches[i, 1]] = numbers[patches[i, 2], row]
        execute(program, values, width)
        valid = 0
        for j in range(width):
            valid += 1 if first[j] == passed else 0
        if valid < width:
            _tally(first, passed, firsts, row * width)
        firsts[passed, 0] += valid
        here = 0
        for j in range(width):
            mask[j] = (first[j] == passed) & (where[j] != 0)
            here += 1 if mask[j] else 0
        satisfied += here
        if here and bar.size:
            here = _beaten(values, outputs, width, bar, mask)
        if here:
            _keep(values, outputs, mask, row, count, places, results)
            count += here
    return count, satisfied


@compiled
def _keep(
    values: Array, outputs: Array, mask: Array, row: int, count: int, places: Array, results: Array
) -> None:
    """Write the places and the results of the points in the mask."""
    width = mask.size
    for j in range(width):
        if mask[j]:
            places[count] = row * width + j
            for i in range(results.shape[0]):
                results[i, count] = values[outputs[i + 2] * width + j]
            count += 1


@compiled
def _tally(first: Array, passed: int, firsts: Array, begin: int) -> None:
    for j in range(first.size):
        if first[j] != passed:
            if firsts[first[j], 0] == 0:
                firsts[first[j], 1] = begin + j
            firsts[first[j], 0] += 1


@compiled
def _beaten(values: Array, outputs: Array, width: int, bar: Array, mask: Array) -> int:
    """Remove the points that are nowhere smaller than the bar, and somewhere larger."""
    left = 0
    for j in range(width):
        smaller = larger = False
        for i in range(bar.size):
            value = values[outputs[i + 2] * width + j]
            smaller |= value < bar[i]
            larger |= value > bar[i]
        mask[j] &= smaller | (not larger)
        left += 1 if mask[j] else 0
    return left


class GridMachine:
    """A program ready for rows; `shared` are the values of the fast axes [value, point]."""

    def __init__(
        self, code: Code, patches: Sequence[tuple[int, int, int]], shared: Array, passed: int
    ) -> None:
        self.code, self.shared, self.passed = code, shared, passed
        self.width = shared.shape[1]
        self.program = np.array(code.instructions, np.int64).reshape(-1, 6)
        self.patches = np.array(patches, np.int64).reshape(-1, 3)
        self.outputs = np.array(code.outputs, np.int64)

    def run(self, numbers: Array, bar: Sequence[int] | None) -> KeptRows:
        """Run rows whose numbers are [number, row]; points that `bar` dominates need not be kept."""
        values = np.zeros(self.code.registers * self.width, np.int64)
        for number, register in self.code.inputs.items():
            values[register * self.width : (register + 1) * self.width] = self.shared[number]
        most = numbers.shape[1] * self.width
        firsts = np.zeros((self.passed + 1, 2), np.int64)
        firsts[:, 1] = -1
        places, results = np.empty(most, np.int64), np.empty((len(self.outputs) - 2, most), np.int64)
        limits = np.array([] if bar is None else bar, np.int64)
        program = self.program.copy()
        count, satisfied = _run(
            program,
            self.patches,
            numbers,
            values,
            self.width,
            self.outputs,
            self.passed,
            limits,
            firsts,
            places,
            results,
        )
        return KeptRows(places[:count], results[:, :count], firsts, satisfied)
