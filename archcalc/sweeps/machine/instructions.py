"""Define a register machine for integers: its instructions, and their exact execution in Python.

A register holds one integer per point. An instruction is (operation, target, a, b, s, t): registers a
b, numbers s and t. A target is never one of its own operands, so that a compiler may vectorize.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from archcalc.tuples import NamedTuple

Instruction = tuple[int, int, int, int, int, int]

# operations on registers a, b and numbers s, t
(
    MULTIPLY,  # a × b
    ADD,  # a + b
    ADD_MULTIPLE,  # a × s + b
    AFFINE,  # a × s + t
    DIVIDE,  # a // b, 0 by zero
    DIVIDE_BY,  # a // s, s positive
    SHIFT,  # a >> s
    DIVIDE_SMALL,  # a // b by way of floating point: both within ±2^50, b positive
    DIVIDE_SMALL_BY,  # a // s by way of floating point
    MODULO,  # a % b, 0 by zero
    MIN,
    MAX,
    POSITIVE,  # 1 if a ≥ 0, else 0
    ZERO,  # 1 if a = 0, else 0
) = range(14)
COUNT = 14  # operations

# those that read register b
BINARY = frozenset({MULTIPLY, ADD, ADD_MULTIPLE, DIVIDE, DIVIDE_SMALL, MODULO, MIN, MAX})

# those by a number s, which is positive
BY_NUMBER = frozenset({DIVIDE_BY, DIVIDE_SMALL_BY, SHIFT})

WORD = (1 << 63) - 1
MANTISSA = 1 << 50


class Code(NamedTuple):
    """A program of the machine.

    Attributes:
        registers: how many it uses.
        inputs: the register of each input that is read, by the input's number.
        outputs: the register of each result, in the order asked for.
        fits: whether 64 bits are proven to suffice for every value.
    """

    instructions: tuple[Instruction, ...]
    registers: int
    inputs: dict[int, int]
    outputs: tuple[int, ...]
    fits: bool


class Executor(Protocol):
    """A runner of programs over many points: the NumPy machine, or the vector machine."""

    def run(self, code: Code, inputs: Sequence[tuple[int, Any]], digits: Any) -> Any:
        """Return the results [output, point] at points given by digits [axis, point]."""


def run(code: Code, point: Mapping[int, int] | Sequence[int]) -> list[int]:
    """Return the results at one point, by the input's number: exact integers, whatever their size."""
    registers = [0] * code.registers
    for number, register in code.inputs.items():
        registers[register] = point[number]
    for operation, target, a, b, s, t in code.instructions:
        registers[target] = _value(operation, registers[a], registers[b], s, t)
    return [registers[register] for register in code.outputs]


def _value(operation: int, a: int, b: int, s: int, t: int) -> int:
    if operation == AFFINE:
        return a * s + t
    if operation == ADD_MULTIPLE:
        return a * s + b
    if operation == MULTIPLY:
        return a * b
    if operation == ADD:
        return a + b
    if operation in (DIVIDE, DIVIDE_SMALL):
        return a // b if b else 0
    if operation in (DIVIDE_BY, DIVIDE_SMALL_BY):
        return a // s
    if operation == SHIFT:
        return a >> s
    if operation == MODULO:
        return a % b if b else 0
    if operation == MIN:
        return min(a, b)
    if operation == MAX:
        return max(a, b)
    return int(a >= 0) if operation == POSITIVE else int(a == 0)
