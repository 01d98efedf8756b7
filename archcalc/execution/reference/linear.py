"""Compute dense layers by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights


def linear(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply by the weights, and add the bias."""
    y = np.matmul(vector(inputs[0]), weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def matmul(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply the matrices of two tensors."""
    x, other = matrices(operator, inputs)
    y = np.matmul(x, other)
    return y * scale(x) if operator.scaled else y


def matrices(operator: Any, inputs: list[Array]) -> list[Array]:
    """Return both with equally many axes, the other transposed if it is multiplied so."""
    axes = max(x.ndim for x in inputs)
    x, other = (a.reshape(len(a), *[1] * (axes - a.ndim), *a.shape[1:]) for a in inputs)
    return [x, other.swapaxes(-1, -2) if operator.transposed else other]


def scale(x: Array) -> Any:
    """Return 1 / √k for sums of k products."""
    return x.dtype.type(1 / x.shape[-1] ** 0.5)


def vector(x: Array) -> Array:
    """Return a volume of one position as a vector: images × 1 × 1 × channels."""
    return x.reshape(len(x), 1, 1, -1) if x.ndim > 4 else x


def rbf(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Sum squared differences to each unit's pattern; summing adds to 0, one step per link."""
    difference = vector(inputs[0])[..., :, None] - weights["fixed"]
    square = np.square(difference)
    total = np.zeros_like(square[..., 0, :])
    for link in range(square.shape[-2]):
        total = total + square[..., link, :]
    return total
