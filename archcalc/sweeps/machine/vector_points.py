"""Write the points of a sweep in LLVM's assembly language: a grid's by counting, a sample's by drawing.

A sample's are those of `archcalc.sweeps.machine.shuffle`, in 64-bit integers and without a division.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.sweeps.machine import shuffle
from archcalc.sweeps.machine.vector_text import FunctionBody, Operand
from archcalc.tuples import NamedTuple


class PointSource(NamedTuple):
    """The order of points: the lengths of their axes; with a plan, drawn by it."""

    lengths: tuple[int, ...]
    plan: shuffle.Plan | None

    @property
    def counters(self) -> tuple[int, ...]:
        """The counters that go on from point to point, the fastest first."""
        return self.plan.sizes if self.plan else self.lengths[::-1]

    def start(self, number: int) -> list[int]:
        """Return the counters at a point's number."""
        found = []
        for length in self.counters[:-1]:
            number, digit = divmod(number, length)
            found.append(digit)
        return [*found, number]


def write_digits(text: FunctionBody, source: PointSource, state: str) -> list[str]:
    """Write the digits on every axis of eight points; `state` is the address of the counters."""
    counted = _count(text, source.counters, state)
    if source.plan is None:
        return counted[::-1]
    drawn = _draw(text, source.plan, counted)
    found = [""] * len(source.lengths)
    for axes, number in zip(source.plan.groups, drawn, strict=True):
        *others, first = axes[::-1]
        for axis in others:
            number, found[axis] = _split(text, number, source.lengths[axis])
        found[first] = number
    return found


def _count(text: FunctionBody, lengths: Sequence[int], state: str) -> list[str]:
    """Write the counters of eight points, and move the stored ones to the eight after."""
    found = []
    carry = text.constant("i64", *range(text.lanes))
    moved: Operand = text.lanes
    for i, length in enumerate(lengths):
        place = text.address(state, i)
        first = text.load("i64", place)
        digits = text.vector("add", text.spread(first), carry)
        after = text.scalar("add", first, moved)
        carry, digits = _split(text, digits, length, wraps=True)  # beyond the last point: any other
        if i < len(lengths) - 1:
            moved = text.scalar("udiv", after, length)
            after = text.scalar("sub", after, text.scalar("mul", moved, length))
        text.store("i64", after, place)
        found.append(digits)
    return found


def _split(text: FunctionBody, x: str, length: int, wraps: bool = False) -> tuple[str, str]:
    """Write x // length and the rest, for x below 2^31; with `wraps` x is at most a digit + 8."""
    if length & (length - 1) == 0:
        shift = length.bit_length() - 1
        return text.vector("lshr", x, shift), text.vector("and", x, length - 1)
    if wraps and length >= text.lanes:
        over = text.vector("icmp uge", x, length)
        rest = text.vector("sub", x, text.select(over, length, 0))
        return text.ones(over), rest
    multiplier, shift = _reciprocal(length)
    quotient = text.vector("lshr", text.vector("mul", x, multiplier), shift)
    return quotient, text.vector("sub", x, text.vector("mul", quotient, length))


def _reciprocal(divisor: int) -> tuple[int, int]:
    """Return m and k with x // divisor = x·m >> k for 0 ≤ x < 2^31 (Granlund & Montgomery 1994)."""
    shift = 31 + (divisor - 1).bit_length()
    return (1 << shift) // divisor + 1, shift


def _draw(text: FunctionBody, plan: shuffle.Plan, state: list[str]) -> list[str]:
    """Write the number in every group, from the counters: see `shuffle.draw`."""
    count = len(state)
    for i, key in enumerate(plan.keys):
        g = i % count
        mixed: Operand = key
        size = plan.sizes[g]
        for other in range(count):
            if other != g:
                mixed = text.vector("mul", text.vector("xor", mixed, state[other]), shuffle.MULTIPLIER)
                high = text.vector("lshr", mixed, 32)
                mixed = text.vector("mul", text.vector("xor", mixed, high), shuffle.MIXER)
        scaled = text.vector("mul", text.vector("lshr", mixed, 33), size)
        moved = text.vector("add", state[g], text.vector("lshr", scaled, 31))
        over = text.vector("icmp uge", moved, size)
        state[g] = text.select(over, text.vector("sub", moved, size), moved)
    return state


def write_values(text: FunctionBody, digits: str, values: Sequence[int], table: str) -> str:
    """Write the values of an input at digits of its axis; `table` is their address.

    Values in even steps are computed, others are looked up.
    """
    first, step = values[0], values[1] - values[0] if len(values) > 1 else 0
    if all(value == first + i * step for i, value in enumerate(values)):
        return text.vector("add", text.vector("mul", digits, step), first)
    found = "undef"
    for lane in range(text.lanes):
        digit = text.value(f"extractelement {text.integers} {digits}, i32 {lane}")
        value = text.load("i64", text.address(table, digit))
        found = text.value(f"insertelement {text.integers} {found}, i64 {value}, i32 {lane}")
    return found
