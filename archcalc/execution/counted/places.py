"""Find the windows of an operator along an axis by placing one after another.

This uses no shape rule of the operator, and shares nothing with the definition in `reference`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array
from archcalc.tuples import NamedTuple


class WindowStarts(NamedTuple):
    """The first pixel of each window (negative in the padding), and the padding before and after."""

    starts: list[int]
    before: int
    after: int

    def reach(self, span: int, size: int) -> int:
        """Return the pixels after the axis that the last window reads."""
        return max(self.starts[-1] + span - size, 0)


def stand(operator: Any, axis: int, size: int) -> WindowStarts:
    """Return where the windows over `size` pixels begin.

    `same` has one for every stride that begins in the image; what is lacking is shared, an odd pixel
    behind.
    `half` has the middle tap of the first window on the first pixel. Else windows follow as long as they
    end in the padding, or with `ceil` begin less than a stride before that would and within the image.
    """
    k, s, d = (int(sizes[axis]) for sizes in (operator.k, operator.s, operator.d))
    span = (k - 1) * d + 1
    if operator.same:
        count = len(range(0, size, s))
        surplus = max(s * (count - 1) + span - size, 0)
        before = surplus // 2
        return WindowStarts([i * s - before for i in range(count)], before, surplus - before)
    before, after = (k // 2 * d,) * 2 if operator.half else map(int, operator.p[axis])
    starts, start, slack = [], -before, s - 1 if operator.ceil else 0
    while start + span <= size + after + slack and (start < size or not operator.ceil):
        starts.append(start)
        start += s
    return WindowStarts(starts, before, after)


def padded(operator: Any, x: Array, value: float) -> Array:
    """Return `x` with the padding that its windows read: images × positions × channels."""
    widths = [(0, 0)]
    for axis, size in enumerate(x.shape[1:-1]):
        found, span = stand(operator, axis, size), (operator.k[axis] - 1) * operator.d[axis] + 1
        widths.append((found.before, found.reach(int(span), size)))
    return np.pad(x, [*widths, (0, 0)], constant_values=value)


def outputs(operator: Any, x: Array) -> list[int]:
    """Return the number of windows along each axis."""
    return [len(stand(operator, axis, size).starts) for axis, size in enumerate(x.shape[1:-1])]


def shares(operator: Any, x: Array) -> Array:
    """Return 1 / the number of values in each window of a mean, in the order of the outputs."""
    counts = np.ones(1)
    for axis, size in enumerate(x.shape[1:-1]):
        found = stand(operator, axis, size)
        zeros = operator.zeros or not (operator.nozeros or operator.same)
        low, high = (-found.before, size + found.after) if zeros else (0, size)
        ends = [(max(start, low), min(start + int(operator.k[axis]), high)) for start in found.starts]
        counts = np.multiply.outer(counts, [last - first for first, last in ends])
    return (1 / counts.reshape(-1)).astype(np.float32)
