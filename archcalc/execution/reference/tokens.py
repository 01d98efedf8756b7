"""Turn maps into sequences, and add or take tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights


def tokens(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Turn the positions of a map into a sequence."""
    return inputs[0].reshape(inputs[0].shape[0], -1, inputs[0].shape[-1])


def classtoken(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Put a learned token before the others."""
    (x,) = inputs
    y = np.empty_like(x, shape=(x.shape[0], x.shape[1] + 1, *x.shape[2:]))
    y[:, 0], y[:, 1:] = weights["weight"], x
    return y


def posembed(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add a learned vector at each position."""
    return inputs[0] + weights["position"][: inputs[0].shape[1]]


def token(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take one position of a sequence."""
    return inputs[0][:, None, operator.index : operator.index + 1]


def transpose(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Exchange positions and channels."""
    return inputs[0].swapaxes(1, 2)
