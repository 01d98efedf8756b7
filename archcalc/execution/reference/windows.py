"""Place the windows of a map, and pad around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from archcalc.execution.model import Array


def pad(x: Array, before: tuple[int, int], after: tuple[int, int], value: float = 0.0) -> Array:
    """Pad the maps with rows and columns of `value`."""
    if not any((*before, *after)):
        return x
    images, height, width, channels = x.shape
    shape = (images, height + before[0] + after[0], width + before[1] + after[1], channels)
    padded = np.full_like(x, value, shape=shape)
    padded[:, before[0] : before[0] + height, before[1] : before[1] + width] = x
    return padded


def zeros_around(operator: Any, x: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return rows and columns of padding before and after, by the operator's arguments and the shape.

    Padding is half the kernel, TensorFlow's SAME, or p on both sides. Rounding up may need more behind.
    """
    before, after = [], []
    for axis in (0, 1):
        size, stride = x[1 + axis], operator.s[axis]
        span = operator.d[axis] * (operator.k[axis] - 1) + 1
        if operator.same:
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
            continue
        amount = (span - 1) // 2 if operator.half else operator.p[axis]
        before.append(amount)
        more = 0
        if operator.ceil and (size + 2 * amount - span) % stride:
            start = -(-(size + 2 * amount - span) // stride) * stride - amount
            more = start + span - size - amount if start < size else 0
        after.append(amount + max(more, 0))
    return (before[0], before[1]), (after[0], after[1])


def windows(x: Array, k: tuple[int, int], s: tuple[int, int], d: tuple[int, int]) -> Array:
    """View images × out height × out width × kernel height × kernel width × channels."""
    images, height, width, channels = x.shape
    rows = (height - d[0] * (k[0] - 1) - 1) // s[0] + 1
    columns = (width - d[1] * (k[1] - 1) - 1) // s[1] + 1
    a, b, c, e = x.strides
    shape = (images, rows, columns, k[0], k[1], channels)
    strides = (a, b * s[0], c * s[1], b * d[0], c * d[1], e)
    return np.lib.stride_tricks.as_strided(x, shape, strides, subok=True, writeable=False)


def cells(operator: Any, x: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], tuple[slice, slice]]]:
    """Yield row and column of each output of an adaptive pool, and rows and columns of x in its cell."""
    sides = [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x[1:3], operator.size, strict=True)
    ]
    for i, rows in enumerate(sides[0]):
        for j, columns in enumerate(sides[1]):
            yield (i, j), (rows, columns)
