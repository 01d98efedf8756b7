"""Bound integers by abstract interpretation: by limits, and by a remainder modulo a step.

Each operation returns a range that contains its result for all values in the ranges of its operands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from archcalc.tuples import NamedTuple


class Range(NamedTuple):
    """The integers v with low ≤ v ≤ high and v ≡ rest modulo step; a single value has a step of 0."""

    low: int
    high: int
    step: int = 1
    rest: int = 0

    @property
    def known(self) -> int | None:
        """The value if there is only one."""
        return self.low if self.low == self.high else None

    @property
    def largest(self) -> int:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))

    def within(self, low: int | None = None, high: int | None = None) -> Range:
        """Return the part between two bounds, which become values of the range; empty if low > high."""
        low = self.low if low is None else max(low, self.low)
        high = self.high if high is None else min(high, self.high)
        if self.step > 1:
            low += (self.rest - low) % self.step
            high -= (high - self.rest) % self.step
        return Range(low, high, self.step, self.rest)


TRUTH = Range(0, 1)


def exactly(value: int) -> Range:
    """Return the range of a single value."""
    return Range(value, value, 0, value)


def _make(low: int, high: int, step: int, rest: int) -> Range:
    return exactly(low) if low == high else Range(low, high, step, rest % step if step else rest)


def of_values(values: Sequence[int]) -> Range:
    """Return the range of the values of an axis."""
    if isinstance(values, range):
        low, high = min(values[0], values[-1]), max(values[0], values[-1])
        return _make(low, high, abs(values.step), low)
    step = 0
    for value in values:
        step = gcd(step, value - values[0])
    return _make(min(values), max(values), step, values[0])


def linear(terms: Iterable[tuple[int, Range]], constant: int) -> Range:
    """Return the range of the sum of factor × value over (factor, range), and of a constant."""
    low = high = rest = constant
    step = 0
    for factor, one in terms:
        ends = (factor * one.low, factor * one.high)
        low, high = low + min(ends), high + max(ends)
        step, rest = gcd(step, factor * one.step), rest + factor * one.rest
    return _make(low, high, step, rest)


def product(a: Range, b: Range) -> Range:
    """Return the range of a × b."""
    ends = [x * y for x in a[:2] for y in b[:2]]
    step = gcd(a.step * b.step, a.step * b.rest, b.step * a.rest)
    return _make(min(ends), max(ends), step, a.rest * b.rest)


def quotient(a: Range, b: Range) -> Range:
    """Return the range of ⌊a / b⌋; a division by zero gives 0."""
    divisors = {d for d in (b.low, b.high, -1, 1) if d and b.low <= d <= b.high}
    ends = [x // d for x in a[:2] for d in divisors] + ([0] if b.low <= 0 <= b.high else [])
    d = b.known
    if d and a.step % d == 0:
        return _make(min(ends), max(ends), a.step // abs(d), a.rest // d)
    return _make(min(ends), max(ends), 1, 0)


def remainder(a: Range, b: Range) -> Range:
    """Return the range of a modulo b, which has the sign of b; modulo zero gives 0."""
    d = b.known
    if d and a.step % d == 0:
        return exactly(a.rest % d)
    if a.low >= 0 and b.low > a.high:
        return a
    high = max(b.high - 1, 0)
    if a.low >= 0 and b.low > 0:
        high = min(high, a.high)
    return Range(min(b.low + 1, 0), high) if high or b.low < -1 else exactly(0)


def extreme(name: str, ranges: Sequence[Range]) -> Range:
    """Return the range of the min or max of several values."""
    choose = min if name == "min" else max
    step = gcd(*(r.step for r in ranges), *(r.rest - ranges[0].rest for r in ranges))
    low, high = choose(r.low for r in ranges), choose(r.high for r in ranges)
    return _make(low, high, step, ranges[0].rest)
