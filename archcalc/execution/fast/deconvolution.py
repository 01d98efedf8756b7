"""Execute transposed convolutions row by row of the input."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from archcalc.execution.fast.convolution import Maps
from archcalc.execution.fast.workspace import take
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.windows import taps


def deconv(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Multiply each input row by each tap of the kernel, and add it to the output row where it falls."""
    (x,) = inputs
    out[...] = 0
    inside, outside = x.shape[-1] // operator.g, operator.filters // operator.g
    products = take(scratch, 0, (x.shape[-2], outside))
    for tap in taps(operator.k):
        for places, targets in _rows(operator, tap, x.shape, out.shape):
            for image, group in product(range(len(x)), range(operator.g)):
                own = slice(group * outside, (group + 1) * outside)
                mine = x[image, *places, :, group * inside : (group + 1) * inside]
                np.matmul(mine, weights["weight"][*tap, :, own], out=products)
                _add_row(operator, products, out[image, *targets, :, own], tap[-1] * operator.d[-1])
    if not operator.nobias:
        np.add(out, weights["bias"], out=out)


def _rows(
    operator: Any, tap: tuple[int, ...], x: Maps, y: Maps
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the rows of x, and the rows of y to which one tap adds their products."""
    axes = [[*_falls(operator, axis, tap[axis], x[axis + 1], y[axis + 1])] for axis in range(len(x) - 3)]
    for pairs in product(*axes):
        yield tuple(i for i, _ in pairs), tuple(target for _, target in pairs)


def _falls(operator: Any, axis: int, tap: int, size: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield where the inputs' products with one tap fall, cropped by the padding."""
    for i in range(size):
        target = i * operator.s[axis] + tap * operator.d[axis] - operator.p[axis].before
        if 0 <= target < limit:
            yield i, target


def _add_row(operator: Any, products: Array, y: Array, place: int) -> None:
    stride, start = operator.s[-1], place - operator.p[-1].before
    first = max(0, -(start // stride))
    last = min(len(products), -(-(len(y) - start) // stride))
    if last > first:
        begin = first * stride + start
        target = y[begin : begin + (last - first - 1) * stride + 1 : stride]
        np.add(target, products[first:last], out=target)
