"""Compute norms and factors per channel by their definition."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights

LRN_ALPHA, LRN_BETA, LRN_BIAS = 1e-4, 0.75, 2.0  # Krizhevsky et al. 2012


def bn(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Fold stored statistics into one factor and one term per channel."""
    factor, term = fold_bn(operator, weights)
    return inputs[0] * factor + term


def fold_bn(operator: Any, weights: Weights) -> tuple[Array, Array]:
    """Return factor and term of a batch norm at inference: y = x·factor + term."""
    factor = 1 / np.sqrt(weights["variance"] + operator.eps)
    if not operator.noscale:
        factor = factor * weights["scale"]
    term = -weights["mean"] * factor
    return factor, term if operator.noshift else weights["shift"] + term


def ln(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Normalize over the channels of each position."""
    return _learned(operator, _standardized(inputs[0], (-1,), operator.eps), weights)


def groupnorm(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Normalize over all positions of the channels of each group; of each channel without groups."""
    (x,) = inputs
    groups = getattr(operator, "groups", x.shape[-1])
    grouped = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    standard = _standardized(grouped, (1, 3), operator.eps).reshape(x.shape)
    return _learned(operator, standard, weights)


def rmsnorm(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Divide by the root of the mean square of each position's channels."""
    (x,) = inputs
    mean = np.add.reduce(np.square(x), axis=-1, keepdims=True) * x.dtype.type(1 / x.shape[-1])
    y = x * (1 / np.sqrt(mean + x.dtype.type(operator.eps)))
    return y if operator.noscale else y * weights["scale"]


def _standardized(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    """Return x with mean 0 and variance 1 over these axes."""
    share = x.dtype.type(1 / prod(x.shape[axis] for axis in axes))
    centered = x - np.add.reduce(x, axis=axes, keepdims=True) * share
    variance = np.add.reduce(np.square(centered), axis=axes, keepdims=True) * share
    return centered * (1 / np.sqrt(variance + x.dtype.type(eps)))


def _learned(operator: Any, x: Array, weights: Weights) -> Array:
    y = x if operator.noscale else x * weights["scale"]
    return y if operator.noshift else y + weights["shift"]


def scale(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Apply one factor and one term per channel."""
    y = inputs[0] * weights["weight"]
    return y if operator.nobias else y + weights["bias"]


def offset(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add the stored tensor."""
    return inputs[0] + weights[operator.table]


def factor(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply by the stored tensor."""
    return inputs[0] * weights[operator.table]


def lrn(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Compute x / (k + α·Σ x²)^β over neighboring channels; those beyond the ends count as zeros."""
    (x,) = inputs
    squares = np.square(x)
    size, channels = operator.size, x.shape[-1]
    padded = np.zeros_like(x, shape=(*x.shape[:-1], channels + size - 1))
    padded[..., size // 2 : size // 2 + channels] = squares
    total = x.dtype.type(LRN_BIAS) + _scaled(padded[..., :channels])
    for shift in range(1, size):
        total = total + _scaled(padded[..., shift : shift + channels])
    return x / np.power(total, x.dtype.type(LRN_BETA))


def _scaled(x: Array) -> Array:
    return x * x.dtype.type(LRN_ALPHA)
