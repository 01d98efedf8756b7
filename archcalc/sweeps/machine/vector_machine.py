"""Run programs as machine code of their own, over vectors of points."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from archcalc.sweeps.machine import numpy_machine
from archcalc.sweeps.machine.instructions import Code
from archcalc.sweeps.machine.vector_compiler import LANES, Kernel, arguments, end, loop, new_text
from archcalc.sweeps.machine.vector_points import PointSource, write_digits, write_values
from archcalc.sweeps.machine.vector_text import FunctionBody, write_program

Array = np.ndarray[Any, Any]
Inputs = Sequence[tuple[int, Array]]  # of each its axis, and its value for every digit
BREAK_EVEN = 400_000  # points that NumPy runs in the time of a compilation


def write_inputs(
    text: FunctionBody, code: Code, inputs: Inputs, digits: Sequence[str], tables: str
) -> dict[int, str]:
    """Write the values of the inputs that a program reads, by register."""
    found, at = {}, 0
    for number, (axis, values) in enumerate(inputs):
        if number in code.inputs:
            table = text.address(tables, at)
            found[code.inputs[number]] = write_values(text, digits[axis], values.tolist(), table)
        at += len(values)
    return found


def tables_of(inputs: Inputs) -> Array:
    """Return the values of all inputs, one after another."""
    return np.concatenate([np.asarray(values, np.int64) for _, values in inputs])


class CompiledCode:
    """A program that gives all results at points given by their digits."""

    def __init__(self, code: Code, inputs: Inputs, axes: int) -> None:
        text = new_text()
        count, digits, stride, tables, results, room = arguments(
            text, "count", "digits", "stride", "tables", "results", "room"
        )
        with loop(text, "points", text.lanes, count, "entry", "end") as i:
            found = []
            for axis in range(axes):
                at = text.scalar("add", text.scalar("mul", stride, axis), i)
                four = text.scalar("add", digits, text.scalar("shl", at, 2))
                narrow = text.load(f"<{text.lanes} x i32>", four)
                found.append(text.value(f"sext <{text.lanes} x i32> {narrow} to {text.integers}"))
            registers = write_inputs(text, code, inputs, found, tables)
            write_program(text, code.instructions, registers, {})
            for row, register in enumerate(code.outputs):
                at = text.scalar("add", text.scalar("mul", room, row), i)
                text.store(text.integers, registers[register], text.address(results, at))
            text.line("br label %points.next")
        end(text, "end")
        self.tables, self.outputs, self.kernel = tables_of(inputs), len(code.outputs), Kernel(text)

    def run(self, digits: Array) -> Array:
        """Return the results [output, point] at digits [axis, point]."""
        count = digits.shape[1]
        room = -(-count // LANES) * LANES
        if room != count or not digits.flags.c_contiguous:
            whole = np.zeros((len(digits), room), np.int32)
            whole[:, :count] = digits
            digits = whole
        results = np.empty((self.outputs, room), np.int64)
        self.kernel(count, digits, room, self.tables, results, room)
        return results[:, :count]


class VectorMachine:
    """Runs programs on NumPy until compiling one would have paid, then compiled.

    So it takes at most about twice the time of the better one, however many programs there are.
    """

    def __init__(self, after: int = BREAK_EVEN) -> None:
        """Compile a program after so many points."""
        self._after = max(after, 1)
        self._lock = threading.Lock()
        self._programs: dict[int, CompiledCode] = {}  # by the identity of their code
        self._seen: dict[int, tuple[Code, int]] = {}  # codes, and how many points each has run

    def run(self, code: Code, inputs: Inputs, digits: Array) -> Array:
        """Return the results [output, point] at points given by digits [axis, point]."""
        if self._is_due(code, digits.shape[1]):
            self._programs[id(code)] = CompiledCode(code, inputs, len(digits))
        program = self._programs.get(id(code))
        return numpy_machine.run(code, inputs, digits) if program is None else program.run(digits)

    def _is_due(self, code: Code, points: int) -> bool:
        """Return whether a code has just run enough points; to one thread only."""
        with self._lock:
            before = self._seen.get(id(code), (code, 0))[1]
            self._seen[id(code)] = code, before + points
        return before < self._after <= before + points


class PointDigits:
    """The digits of points by number."""

    def __init__(self, source: PointSource) -> None:
        text = new_text()
        count, state, results, room = arguments(text, "count", "state", "results", "room")
        with loop(text, "points", text.lanes, count, "entry", "end") as i:
            for axis, digits in enumerate(write_digits(text, source, state)):
                narrow = text.value(f"trunc {text.integers} {digits} to <{text.lanes} x i32>")
                at = text.scalar("add", text.scalar("mul", room, axis), i)
                four = text.scalar("add", results, text.scalar("shl", at, 2))
                text.store(f"<{text.lanes} x i32>", narrow, four)
            text.line("br label %points.next")
        end(text, "end")
        self.source, self.kernel = source, Kernel(text)

    def read(self, begin: int, end: int) -> Array:
        """Return the digits [axis, point] of points `begin` to `end` − 1."""
        count = end - begin
        room = -(-count // LANES) * LANES
        digits = np.empty((len(self.source.lengths), room), np.int32)
        self.kernel(count, np.array(self.source.start(begin), np.int64), digits, room)
        return digits[:, :count]
