"""Move axes and values by definition: no arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import PLACES


def roll(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Move values on, those at the end to the beginning."""
    (x,), shift = inputs, int(operator.shift)
    axes = range(1, x.ndim - 1) if operator.axis == "positions" else (PLACES[operator.axis],)
    for place in axes:
        y = np.empty_like(x)
        np.take(x, np.arange(x.shape[place]) - shift % x.shape[place], place, out=y, mode="wrap")
        x = y
    return x


def permute(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Put the axes in another order."""
    return inputs[0].transpose(0, *(axis + 1 for axis in operator.order))


def reshape(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Return the same values with other axes."""
    sizes = [int(size) for size in operator.shape]
    return inputs[0].reshape(len(inputs[0]), *[1, 1][: 2 * (len(sizes) == 1)], *sizes)
