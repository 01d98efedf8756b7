"""Execute what makes no matrix products: pools, sums, a factor and a term per channel.

The loops are compiled, with the contiguous channels innermost; threads share the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.compiled import compiled, spread
from archcalc.execution.axes import Triple
from archcalc.execution.fast.finish import Finish
from archcalc.execution.model import Array

Taps = tuple[Triple, Triple, Triple]  # a window's kernel, stride and dilation
GRAIN = 1 << 14  # values that are worth a thread of their own


def finish(what: Finish, x: Array, y: Array) -> None:
    """Apply the finish to `x`; `y` may be `x`."""
    if not np.may_share_memory(x, y):
        np.copyto(y, x)
    y = _rows(y)
    spread(_finish_rows, len(y), y, what, grain=_grain(y))


def add(what: Finish, a: Array, b: Array, y: Array) -> None:
    """Add `a` and `b` and apply the finish; `y` may be either."""
    a, b, y = _rows(a), _rows(b), _rows(y)
    spread(_add_rows, len(y), a, b, y, what, grain=_grain(y))


def pool(x: Array, y: Array, window: Taps, before: Triple, largest: bool) -> None:
    """Pool each window by its largest value or its sum: images × frames × height × width × channels.

    Raises:
        ValueError: the maps have different channels.
    """
    if x.shape[4] != y.shape[4]:
        raise ValueError("maps of different channels")
    rows = len(x) * y.shape[1] * y.shape[2]
    spread(_pool_rows, rows, x, y, *window, before, largest, grain=GRAIN // (y.shape[3] * y.shape[4]))


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _grain(x: Array) -> int:
    return GRAIN // int(x.shape[1])


@compiled
def _finish_rows(y: Array, what: Finish, begin: int, end: int) -> None:
    factor, term, low, high = what
    for row in range(begin, end):
        _finish_own_row(y[row], factor, term, low, high)


@compiled
def _add_rows(a: Array, b: Array, y: Array, what: Finish, begin: int, end: int) -> None:
    factor, term, low, high = what
    sums = np.empty(y.shape[1], y.dtype)
    for row in range(begin, end):
        _sum(a[row], b[row], sums)
        finish_row(sums, y[row], factor, term, low, high)


@compiled
def _sum(a: Array, b: Array, y: Array) -> None:
    for c in range(y.size):
        y[c] = a[c] + b[c]


@compiled
def finish_row(x: Array, y: Array, factor: Array, term: Array, low: Any, high: Any) -> None:
    """Return `y` in separate memory: the compiler does not vectorize arrays that may overlap."""
    for c in range(y.size):
        y[c] = _finished(x[c], factor[c], term[c], low, high)


@compiled
def _finish_own_row(y: Array, factor: Array, term: Array, low: Any, high: Any) -> None:
    for c in range(y.size):
        y[c] = _finished(y[c], factor[c], term[c], low, high)


@compiled
def _finished(value: Any, factor: Any, term: Any, low: Any, high: Any) -> Any:
    """Clamp; NaN stays NaN, as in NumPy."""
    value = value * factor + term
    value = low if value < low else value
    return high if value > high else value


@compiled
def _pool_rows(
    x: Array, y: Array, k: Triple, s: Triple, d: Triple, before: Triple, largest: bool,
    begin: int, end: int,
) -> None:  # fmt: skip
    frames, height, width = x.shape[1:4]
    for row in range(begin, end):
        line, image = row // y.shape[2], row // (y.shape[1] * y.shape[2])
        front, top = line % y.shape[1] * s[0] - before[0], row % y.shape[2] * s[1] - before[1]
        for column in range(y.shape[3]):
            left = column * s[2] - before[2]
            target = y[image, line % y.shape[1], row % y.shape[2], column]
            target[:] = -np.inf if largest else 0
            for t in range(front, front + k[0] * d[0], d[0]):
                for i in range(top, top + k[1] * d[1], d[1]):
                    for j in range(left, left + k[2] * d[2], d[2]):
                        if not (0 <= t < frames and 0 <= i < height and 0 <= j < width):
                            continue
                        if largest:
                            _enlarge(x[image, t, i, j], target)
                        else:
                            _increase(x[image, t, i, j], target)


@compiled
def _enlarge(x: Array, y: Array) -> None:
    for c in range(y.size):
        keep = (y[c] >= x[c]) | (y[c] != y[c])  # NaN stays NaN, as in NumPy
        y[c] = y[c] if keep else x[c]


@compiled
def _increase(x: Array, y: Array) -> None:
    for c in range(y.size):
        y[c] += x[c]
