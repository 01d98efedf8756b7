"""Compute norms and factors per channel by their definition."""

from __future__ import annotations

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
    return factor, weights["shift"] - weights["mean"] * factor


def ln(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Normalize over the channels of each position."""
    (x,) = inputs
    share = x.dtype.type(1 / x.shape[-1])
    centered = x - np.add.reduce(x, axis=-1, keepdims=True) * share
    variance = np.add.reduce(np.square(centered), axis=-1, keepdims=True) * share
    deviation = np.sqrt(variance + x.dtype.type(operator.eps))
    return centered * (1 / deviation) * weights["scale"] + weights["shift"]


def groupnorm(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Normalize over all positions of the channels of each group."""
    (x,) = inputs
    grouped = x.reshape(len(x), -1, operator.groups, x.shape[-1] // operator.groups)
    share = x.dtype.type(1 / (grouped.shape[1] * grouped.shape[3]))
    centered = grouped - np.add.reduce(grouped, axis=(1, 3), keepdims=True) * share
    variance = np.add.reduce(np.square(centered), axis=(1, 3), keepdims=True) * share
    deviation = np.sqrt(variance + x.dtype.type(operator.eps))
    return (centered * (1 / deviation)).reshape(x.shape) * weights["scale"] + weights["shift"]


def scale(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Apply one factor and one term per channel."""
    y = inputs[0] * weights["weight"]
    return y if operator.nobias else y + weights["bias"]


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
