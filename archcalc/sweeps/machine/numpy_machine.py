"""Run the register machine on NumPy: an array operation per instruction, over some thousand points.

Also make the arrays of sweeps: digits [axis, point], and lanes, numbers of points of a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archcalc.sweeps.machine import instructions
from archcalc.sweeps.machine.instructions import BINARY, Code

LANES = 4_096  # points at once: the registers stay in the cache

Array = np.ndarray[Any, Any]


def run(code: Code, inputs: Sequence[tuple[int, Array]], digits: Array) -> Array:
    """Return the results [output, point] at points given by digits [axis, point].

    `inputs` are, for each input, its axis and its value for every digit. Values beyond 64 bits come out
    wrong.
    """
    count = digits.shape[1]
    results = np.empty((len(code.outputs), count), np.int64)
    registers = np.empty((code.registers, min(count, LANES)), np.int64)
    steps = [_step(registers, instruction) for instruction in code.instructions]
    with np.errstate(all="ignore"):  # points that a check refuses may divide by zero on their way
        for begin in range(0, count, LANES):
            lanes = slice(begin, min(begin + LANES, count))
            used = lanes.stop - lanes.start
            for number, register in code.inputs.items():
                axis, values = inputs[number]
                registers[register, :used] = values[digits[axis, lanes]]
            for step in steps:
                step()
            for row, register in zip(results, code.outputs, strict=True):
                row[lanes] = registers[register, :used]
    return results


def _step(registers: Array, instruction: instructions.Instruction) -> Callable[[], Any]:
    operation, target, a, b, s, t = instruction
    x, y, into = registers[a], registers[b] if operation in BINARY else registers[a], registers[target]
    made: Callable[[], Any] = _STEPS[operation](x, y, np.int64(s), np.int64(t), into)
    return made


def _affine(x: Array, y: Array, s: Any, t: Any, into: Array) -> Callable[[], Any]:
    def step() -> None:
        np.multiply(x, s, out=into)
        np.add(into, t, out=into)

    return step


def _add_multiple(x: Array, y: Array, s: Any, t: Any, into: Array) -> Callable[[], Any]:
    def step() -> None:
        np.multiply(x, s, out=into)
        np.add(into, y, out=into)

    return step


def _total(name: str) -> Any:
    """Return division or remainder, 0 by zero."""
    operation = getattr(np, name)

    def make(x: Array, y: Array, s: Any, t: Any, into: Array) -> Callable[[], Any]:
        def step() -> None:
            into[:] = 0
            operation(x, y, out=into, where=y != 0)

        return step

    return make


def _of_both(operation: Any) -> Any:
    return lambda x, y, s, t, into: lambda: operation(x, y, out=into)


def _of_number(operation: Any) -> Any:
    return lambda x, y, s, t, into: lambda: operation(x, s, out=into)


_STEPS: dict[int, Any] = {
    instructions.MULTIPLY: _of_both(np.multiply),
    instructions.ADD: _of_both(np.add),
    instructions.ADD_MULTIPLE: _add_multiple,
    instructions.AFFINE: _affine,
    instructions.DIVIDE: _total("floor_divide"),
    instructions.DIVIDE_BY: _of_number(np.floor_divide),
    instructions.SHIFT: _of_number(np.right_shift),
    instructions.DIVIDE_SMALL: _total("floor_divide"),
    instructions.DIVIDE_SMALL_BY: _of_number(np.floor_divide),
    instructions.MODULO: _total("remainder"),
    instructions.MIN: _of_both(np.minimum),
    instructions.MAX: _of_both(np.maximum),
    instructions.POSITIVE: lambda x, y, s, t, into: (
        lambda: np.greater_equal(x, 0, out=into, casting="unsafe")
    ),
    instructions.ZERO: lambda x, y, s, t, into: lambda: np.equal(x, 0, out=into, casting="unsafe"),
}


def table(values: Sequence[int]) -> Array:
    """Return the values of an input."""
    return np.array(values, np.int64)


def numbers(begin: int, end: int) -> Array:
    """Return the numbers of samples."""
    return np.arange(begin, end, dtype=np.uint64)


def stacked(digits: Sequence[Any]) -> Array:
    """Return digits [axis, point] from those of each axis."""
    return np.array(digits, np.int32)


def counted(lengths: Sequence[int], start: Sequence[int], count: int) -> Array:
    """Return the digits of `count` points of a grid, beginning at the digits `start`."""
    found = np.empty((len(lengths), count), np.int32)
    carry = np.arange(count)
    for axis in reversed(range(len(lengths))):
        carry, found[axis] = np.divmod(carry + start[axis], lengths[axis])
    return found


def spelled(lengths: Sequence[int], points: Array) -> Array:
    """Return the digits of points of a grid from their numbers."""
    found = np.empty((len(lengths), len(points)), np.int32)
    for axis in reversed(range(len(lengths))):
        points, found[axis] = np.divmod(points, lengths[axis])
    return found


def groups(digits: Array) -> list[Array]:
    """Return the lanes of each combination of digits that occurs."""
    key, size = np.zeros(digits.shape[1], np.int64), 1
    for row in digits:
        length = int(row.max(initial=0)) + 1
        if size * length >= 1 << 62:  # rather number the combinations that occur
            found, key = np.unique(key, return_inverse=True)
            size = len(found)
        key, size = key * length + row, size * length
    if size < 1 << 15:
        key = key.astype(np.int16)  # sorted by counting
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def blank(rows: int, count: int, exact: bool = False) -> Array:
    """Return zeros [row, point]; of any size, if exact."""
    return np.zeros((rows, count), object if exact else np.int64)


def exact(rows: Any) -> Array:
    """Return the array as integers of any size."""
    return np.array(rows, object)


def joined(rows: Sequence[Array]) -> Array:
    """Concatenate points."""
    return np.concatenate(rows, axis=-1)


def where(mask: Array) -> Array:
    """Return the indices of true values."""
    return np.flatnonzero(mask)
