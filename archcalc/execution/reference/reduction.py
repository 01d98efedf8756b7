"""Combine the values along an axis by definition."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import PLACES

FOLDS = {"mean": np.add, "sum": np.add, "max": np.maximum}


def reduce(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the mean, the sum or the largest value; the axis keeps one place."""
    (x,) = inputs
    y = FOLDS[operator.name].reduce(x, axis=folded(operator, x), keepdims=True)
    return y * share(operator, x) if operator.name == "mean" else y


def folded(operator: Any, x: Array) -> tuple[int, ...]:
    """Return the axes that are combined."""
    if operator.axis == "positions":
        return tuple(range(1, x.ndim - 1))
    return (PLACES[operator.axis],)


def share(operator: Any, x: Array) -> Any:
    """Return 1 / the number of values in a mean."""
    return x.dtype.type(1 / prod(x.shape[place] for place in folded(operator, x)))
