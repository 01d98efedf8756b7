"""Compute pools by their definition."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights
from archcalc.execution.reference.windows import cells, pad, taps, windows, zeros_around


def _pool(combine: np.ufunc, empty: float) -> Run:
    """Combine the windows of every output, first to last."""

    def pool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
        (x,) = inputs
        padded = pad(x, *zeros_around(operator, x.shape), value=empty)
        seen = windows(padded, operator.k, operator.s, operator.d)
        result: Array | None = None
        for place in taps(operator.k):
            tap = seen[*(slice(None),) * (x.ndim - 1), *place]
            result = tap if result is None else combine(result, tap)
        assert result is not None
        return result

    return pool


maxpool, sumpool = _pool(np.maximum, -np.inf), _pool(np.add, 0.0)


def avgpool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply the sum of each window by 1 / its number of values."""
    return sumpool(operator, inputs, weights) * shares(operator, inputs[0])


def shares(operator: Any, x: Array) -> Array:
    """Return 1 / the number of values in each window of a mean: positions of the output × 1.

    The padding counts if the operator says so; positions beyond it, which rounding up adds, do not
    count, as in torch and Caffe.
    """
    before, after = zeros_around(operator, x.shape)
    ends = after if operator.same else before if operator.half else [last for _, last in operator.p]
    value = 1.0 if operator.zeros or not (operator.nozeros or operator.same) else 0.0
    inside = pad(np.ones((1, *x.shape[1:-1], 1), x.dtype), before, ends, value)
    beyond = [more - end for more, end in zip(after, ends, strict=True)]
    seen = windows(pad(inside, [0] * len(beyond), beyond), operator.k, operator.s, operator.d)[0]
    return 1 / seen.sum(tuple(range(len(beyond), 2 * len(beyond))))


def gap(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the mean of each channel."""
    (x,) = inputs
    axes = tuple(range(1, x.ndim - 1))
    summed = np.add.reduce(x, axis=axes) * x.dtype.type(1 / prod(x.shape[1:-1]))
    return summed.reshape(len(x), 1, 1, -1)


def adaptivepool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the mean or the largest value of each cell."""
    (x,) = inputs
    axes = tuple(range(1, x.ndim - 1))
    y = np.empty_like(x, shape=(len(x), *operator.size, x.shape[-1]))
    for place, at in cells(operator, x.shape):
        cell = x[:, *at]
        if operator.max:
            y[:, *place] = np.maximum.reduce(cell, axis=axes)
        else:
            y[:, *place] = np.add.reduce(cell, axis=axes) * x.dtype.type(1 / prod(cell.shape[1:-1]))
    return y
