"""Compute pools by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights
from archcalc.execution.reference.windows import cells, pad, windows, zeros_around


def _pool(combine: np.ufunc, empty: float) -> Run:
    """Combine the windows of every output, first to last."""

    def pool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
        (x,) = inputs
        taps = windows(
            pad(x, *zeros_around(operator, x.shape), value=empty), operator.k, operator.s, (1, 1)
        )
        result: Array | None = None
        for u in range(operator.k[0]):
            for v in range(operator.k[1]):
                tap = taps[:, :, :, u, v]
                result = tap if result is None else combine(result, tap)
        assert result is not None
        return result

    return pool


maxpool, sumpool = _pool(np.maximum, -np.inf), _pool(np.add, 0.0)


def avgpool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply the sum of each window by 1 / its number of values."""
    return sumpool(operator, inputs, weights) * shares(operator, inputs[0])


def shares(operator: Any, x: Array) -> Array:
    """Return 1 / the number of values of each window of a mean: out height × out width × 1.

    The padding counts if the operator says so; positions beyond it, which rounding up adds, do not
    count, as in torch and Caffe.
    """
    before, after = zeros_around(operator, x.shape)
    ends = after if operator.same else before
    value = 1.0 if operator.zeros or not (operator.nozeros or operator.same) else 0.0
    inside = pad(np.ones((1, *x.shape[1:3], 1), x.dtype), before, ends, value)
    beyond = (after[0] - ends[0], after[1] - ends[1])
    taps = windows(pad(inside, (0, 0), beyond), operator.k, operator.s, (1, 1))
    return 1 / taps[0].sum((2, 3))


def gap(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the mean of each channel."""
    (x,) = inputs
    summed = np.add.reduce(x, axis=(1, 2), keepdims=True)
    return summed * x.dtype.type(1 / (x.shape[1] * x.shape[2]))


def adaptivepool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the mean or the largest value of each cell."""
    (x,) = inputs
    y = np.empty_like(x, shape=(len(x), *operator.size, x.shape[3]))
    for (i, j), at in cells(operator, x.shape):
        cell = x[:, at[0], at[1]]
        if operator.max:
            y[:, i, j] = np.maximum.reduce(cell, axis=(1, 2))
        else:
            share = x.dtype.type(1 / (cell.shape[1] * cell.shape[2]))
            y[:, i, j] = np.add.reduce(cell, axis=(1, 2)) * share
    return y
