"""Compile the register machine: one kernel, compiled once, runs any program over tiles of points.

Points are made here, too: a grid's by counting, a random sample's by the permutation of
`archcalc.sweeps.space.shuffle`, in 64-bit integers and without a division.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from archcalc.compiled import compiled
from archcalc.sweeps.machine.instructions import (
    ADD,
    ADD_MULTIPLE,
    AFFINE,
    DIVIDE,
    DIVIDE_BY,
    DIVIDE_SMALL,
    DIVIDE_SMALL_BY,
    MAX,
    MIN,
    MODULO,
    MULTIPLY,
    POSITIVE,
    SHIFT,
    Code,
)
from archcalc.tuples import NamedTuple

TILE = 1_024  # points at once: with some dozen registers still in the second-level cache

Array = np.ndarray[Any, Any]
COMPILED = True
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
MIXER = np.uint64(0xBF58476D1CE4E5B9)
HALF = np.uint64(32)


@compiled
def execute(program: Array, registers: Array, tile: int) -> None:
    """Run every instruction over one tile; `registers` are consecutive in memory."""
    for i in range(program.shape[0]):
        operation, s, t = program[i, 0], program[i, 4], program[i, 5]
        d = registers[program[i, 1] * tile : program[i, 1] * tile + tile]
        a = registers[program[i, 2] * tile : program[i, 2] * tile + tile]
        b = registers[program[i, 3] * tile : program[i, 3] * tile + tile]
        if operation == ADD_MULTIPLE:
            for j in range(tile):
                d[j] = a[j] * s + b[j]
        elif operation == MULTIPLY:
            for j in range(tile):
                d[j] = a[j] * b[j]
        elif operation == ADD:
            for j in range(tile):
                d[j] = a[j] + b[j]
        elif operation == AFFINE:
            for j in range(tile):
                d[j] = a[j] * s + t
        elif operation == SHIFT:
            for j in range(tile):
                d[j] = a[j] >> s
        elif operation == MAX:
            for j in range(tile):
                d[j] = a[j] if a[j] > b[j] else b[j]
        elif operation == MIN:
            for j in range(tile):
                d[j] = a[j] if a[j] < b[j] else b[j]
        else:
            _seldom(operation, s, d, a, b, tile)


@compiled
def _seldom(operation: int, s: int, d: Array, a: Array, b: Array, tile: int) -> None:
    if operation == POSITIVE:
        for j in range(tile):
            d[j] = 1 if a[j] >= 0 else 0
    elif operation == DIVIDE_SMALL_BY:
        for j in range(tile):
            d[j] = np.int64(np.floor(np.float64(a[j]) / np.float64(s)))
    elif operation == DIVIDE_SMALL:
        for j in range(tile):
            d[j] = np.int64(np.floor(np.float64(a[j]) / np.float64(b[j])))
    elif operation == DIVIDE_BY:
        for j in range(tile):
            d[j] = a[j] // s
    elif operation in (DIVIDE, MODULO):
        for j in range(tile):
            d[j] = _divided(a[j], b[j], operation == MODULO)
    else:
        for j in range(tile):
            d[j] = 1 if a[j] == 0 else 0


@compiled
def _divided(a: int, b: int, rest: bool) -> int:
    """Return floor division or its remainder, 0 by zero; −1 would trap on the minimum."""
    if b == 0:
        return 0
    if b == -1:
        return 0 if rest else -a
    return a % b if rest else a // b


class PointSource(NamedTuple):
    """The source of a tile's inputs.

    Attributes:
        axes: a row an axis: its length, and the multiplier and shift that divide by it.
        groups: the number of axes, and the size, of each group of a drawn sample; none for a grid.
        order: the axes, group by group; for a grid all of them.
        keys: of the rounds of drawing.
    """

    axes: Array
    groups: Array
    order: Array
    keys: Array


def source(
    lengths: Sequence[int], groups: Sequence[Sequence[int]], sizes: Sequence[int], keys: Sequence[int]
) -> PointSource:
    """Make the source for axes of these lengths; without groups, of their grid."""
    axes = np.array([(n, *_reciprocal(n)) for n in lengths], np.uint64).reshape(-1, 3)
    dealt = np.array([(len(g), n) for g, n in zip(groups, sizes, strict=True)], np.uint64)
    order = [axis for group in groups for axis in group] if groups else list(range(len(lengths)))
    return PointSource(axes, dealt.reshape(-1, 2), np.array(order, np.int64), np.array(keys, np.uint64))


def _reciprocal(divisor: int) -> tuple[int, int]:
    """Return m and k with x // divisor = x·m >> k for 0 ≤ x < 2^31 (Granlund & Montgomery 1994)."""
    shift = 31 + (divisor - 1).bit_length()
    return (1 << shift) // divisor + 1, shift


@compiled
def _draw(groups: Array, keys: Array, state: Array, number: int, tile: int) -> None:
    """Return the number in every group, of `tile` samples from `number` on."""
    count = groups.shape[0]
    rest = np.uint64(number)
    for g in range(count):  # the first one as digits, the others counted on from it
        state[g, 0] = rest % groups[g, 1] if g < count - 1 else rest
        rest = rest // groups[g, 1]
    for j in range(1, tile):
        carry = np.uint64(1)
        for g in range(count):
            moved = state[g, j - 1] + carry
            carry = np.uint64(1) if g < count - 1 and moved >= groups[g, 1] else np.uint64(0)
            state[g, j] = moved - carry * groups[g, 1]
    for i in range(keys.shape[0]):
        g = i % count
        mixed, own, size = state[count], state[g], groups[g, 1]
        for j in range(tile):
            mixed[j] = keys[i]
        for other in range(count):
            if other != g:
                others = state[other]
                for j in range(tile):
                    x = (mixed[j] ^ others[j]) * MULTIPLIER
                    mixed[j] = (x ^ (x >> HALF)) * MIXER
        for j in range(tile):
            moved = own[j] + (((mixed[j] >> np.uint64(33)) * size) >> np.uint64(31))
            own[j] = moved - (size if moved >= size else np.uint64(0))


@compiled
def _count(axes: Array, start: Array, found: Array, begin: int, tile: int) -> None:
    """Return the digits of the points after `start`, which advances by `tile` points."""
    carries = np.arange(tile).astype(np.uint64)
    moved = np.uint64(tile)
    for axis in range(axes.shape[0] - 1, -1, -1):
        length, multiplier, shift = axes[axis]
        digits, first = found[axis], start[axis]
        for j in range(tile):
            x = carries[j] + first
            carries[j] = (x * multiplier) >> shift
            digits[begin + j] = x - carries[j] * length
        x = moved + first
        moved = x // length
        start[axis] = x - moved * length


@compiled
def _spell(source: PointSource, state: Array, found: Array, begin: int, tile: int) -> None:
    """Return the digits of drawn points, from their numbers in the groups."""
    at = source.order.size
    for g in range(source.groups.shape[0] - 1, -1, -1):
        rest = state[g]
        for _ in range(source.groups[g, 0]):
            at -= 1
            axis = source.order[at]
            length, multiplier, shift = source.axes[axis]
            digits = found[axis]
            for j in range(tile):
                x = rest[j]
                rest[j] = (x * multiplier) >> shift
                digits[begin + j] = x - rest[j] * length


@compiled
def _points(source: PointSource, start: Array, number: int, found: Array) -> None:
    state = np.empty((source.groups.shape[0] + 1, TILE), np.uint64)
    for begin in range(0, found.shape[1], TILE):
        tile = min(TILE, found.shape[1] - begin)
        if source.groups.shape[0] == 0:
            _count(source.axes, start, found, begin, tile)
        else:
            _draw(source.groups, source.keys, state, number + begin, tile)
            _spell(source, state, found, begin, tile)


def points(source: PointSource, start: Sequence[int], number: int, count: int) -> Array:
    """Return the digits [axis, point] of `count` points.

    A grid's begin at the digits `start`, a sample's at `number`.
    """
    found = np.empty((len(source.axes), count), np.int32)
    _points(source, np.array(start, np.uint64), number, found)
    return found


@compiled
def _run(
    program: Array,
    inputs: Array,
    tables: Array,
    outputs: Array,
    registers: int,
    digits: Array,
    results: Array,
) -> None:
    values = np.zeros(registers * TILE, np.int64)
    for begin in range(0, digits.shape[1], TILE):
        tile = min(TILE, digits.shape[1] - begin)
        for i in range(inputs.shape[0]):
            register, axis, at = inputs[i]
            column = digits[axis]
            for j in range(tile):
                values[register * TILE + j] = tables[at + column[begin + j]]
        execute(program, values, TILE)
        for i in range(outputs.shape[0]):
            row, at = results[i], outputs[i] * TILE
            for j in range(tile):
                row[begin + j] = values[at + j]


def run(code: Code, inputs: Sequence[tuple[int, Array]], digits: Array) -> Array:
    """Return the results [output, point] at points given by digits [axis, point].

    `inputs` are, for each input, its axis and its value for every digit.
    """
    used = [(register, *inputs[number]) for number, register in code.inputs.items()]
    starts = np.cumsum([0, *(len(values) for _, _, values in used)])[:-1]
    places = [(register, axis, at) for (register, axis, _), at in zip(used, starts, strict=True)]
    results = np.empty((len(code.outputs), digits.shape[1]), np.int64)
    _run(
        np.array(code.instructions, np.int64).reshape(-1, 6),
        np.array(places, np.int64).reshape(-1, 3),
        np.concatenate([values for _, _, values in used]),
        np.array(code.outputs, np.int64),
        code.registers,
        digits,
        results,
    )
    return results
