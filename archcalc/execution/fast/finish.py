"""Finish a layer value by value while its result is still in the cache: y = clamp(x·f + t).

Biases, batch norms, scales and rectifiers have this form, and so have most chains of them.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.normalization import fold_bn
from archcalc.tuples import NamedTuple

BOUNDS = {"relu": (0.0, inf), "relu6": (0.0, 6.0), "hardtanh": (-1.0, 1.0)}
ELEMENTWISE = ("bn", "scale", "dropout", "droppath", "clip", *BOUNDS)  # are nothing but a Finish


class Finish(NamedTuple):
    """The function y = min(max(x · factor + term, low), high), a factor and a term per channel."""

    factor: Array
    term: Array
    low: Any
    high: Any

    def then(self, after: Finish) -> Finish | None:
        """Return both in one, or None if a factor comes after a bound."""
        if self.low == -inf and self.high == inf:
            return after._replace(
                factor=self.factor * after.factor, term=self.term * after.factor + after.term
            )
        if np.all(after.factor == 1) and not np.any(after.term):
            return self._replace(low=max(self.low, after.low), high=min(self.high, after.high))
        return None


def finish_of(operator: Any, weights: Weights, channels: int, dtype: Any) -> Finish:
    """Return the finish of an elementwise operator; for any other, its bias.

    Raises:
        ValueError: the weights are for another number of channels.
    """
    factor, term = np.ones(channels, dtype), np.zeros(channels, dtype)
    if operator.name == "bn":
        folded = fold_bn(operator, weights)
        factor, term = factor * folded[0].astype(dtype), term + folded[1].astype(dtype)
    elif operator.name == "scale":
        factor = factor * weights["weight"]
    if not getattr(operator, "nobias", True):
        term = term + weights["bias"]
    low, high = BOUNDS.get(operator.name, (-inf, inf))
    if operator.name == "clip":
        low = low if operator.low is None else operator.low
        high = high if operator.high is None else operator.high
    return Finish(factor, term, dtype.type(low), dtype.type(high))
