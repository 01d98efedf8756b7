"""Where the windows of a tensor lie, along as many axes as there are, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from archcalc.execution.model import Array

Sizes = tuple[int, ...]

PLACES = {"channels": -1, "length": -2, "width": -2, "height": -3, "frames": -4}  # of axes, by name


def pad(x: Array, before: Sequence[int], after: Sequence[int], value: float = 0.0) -> Array:
    """Return the maps with positions of `value` around them."""
    if not any((*before, *after)):
        return x
    sides = list(zip(before, x.shape[1:-1], after, strict=True))
    padded = np.full_like(x, value, shape=(len(x), *map(sum, sides), x.shape[-1]))
    padded[:, *(slice(first, first + size) for first, size, _ in sides)] = x
    return padded


def part(x: Array, axis: str, begin: int, size: int) -> Array:
    """Return some of the places along an axis, without a copy."""
    at = [slice(None)] * x.ndim
    at[PLACES[axis]] = slice(begin, begin + size)
    return x[*at]


def zeros_around(operator: Any, x: Sizes) -> tuple[Sizes, Sizes]:
    """Return the padding before and after along each axis, by the operator's arguments and x's shape.

    Padding is half the kernel, TensorFlow's SAME, or p. Rounding up may need more behind.
    """
    before, after = [], []
    for axis, size in enumerate(x[1:-1]):
        stride = operator.s[axis]
        span = operator.d[axis] * (operator.k[axis] - 1) + 1
        if operator.same:
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
            continue
        half = (span - 1) // 2
        first, last = (half, half) if operator.half else operator.p[axis]
        before.append(first)
        more = 0
        if operator.ceil and (size + first + last - span) % stride:
            start = -(-(size + first + last - span) // stride) * stride - first
            more = start + span - size - last if start < size else 0
        after.append(last + max(more, 0))
    return tuple(before), tuple(after)


def windows(x: Array, k: Sizes, s: Sizes, d: Sizes) -> Array:
    """Return images × outputs along each axis × kernel along each axis × channels, without a copy."""
    images, *sizes, channels = x.shape
    first, *steps, last = x.strides
    outputs = [
        (size - dilation * (taps - 1) - 1) // stride + 1
        for size, taps, stride, dilation in zip(sizes, k, s, d, strict=True)
    ]
    strides = (
        first,
        *(step * stride for step, stride in zip(steps, s, strict=True)),
        *(step * dilation for step, dilation in zip(steps, d, strict=True)),
        last,
    )
    shape = (images, *outputs, *k, channels)
    return np.lib.stride_tricks.as_strided(x, shape, strides, subok=True, writeable=False)


def taps(k: Sizes) -> Iterator[Sizes]:
    """Yield every place of a kernel, the last axis first."""
    return product(*map(range, k))


def cells(operator: Any, x: Sizes) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
    """Yield the place of each output of an adaptive pool, and the positions of x in its cell."""
    sides = [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x[1:-1], operator.size, strict=True)
    ]
    for place in taps(tuple(map(len, sides))):
        yield place, tuple(side[i] for side, i in zip(sides, place, strict=True))
