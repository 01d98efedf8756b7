"""Move values by definition: no arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import pad


def flatten(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Flatten all values into one vector: row by row, channels last."""
    return inputs[0].reshape(inputs[0].shape[0], 1, 1, -1)


def upsample(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Repeat each value."""
    down, across = operator.factor
    return np.repeat(np.repeat(inputs[0], down, axis=1), across, axis=2)


def todepth(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Turn blocks into channels; vertical neighbors come before horizontal ones."""
    (x,) = inputs
    images, height, width, channels = x.shape
    down, across = operator.factor
    x = pad(x, (0, 0), (-height % down, -width % across))
    cut = x.reshape(images, x.shape[1] // down, down, -1, across, channels).transpose(0, 1, 3, 4, 2, 5)
    return cut.reshape(*cut.shape[:3], -1)


def padchannels(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add zeros after the channels."""
    (x,) = inputs
    y = np.zeros_like(x, shape=(*x.shape[:-1], operator.channels))
    y[..., : x.shape[-1]] = x
    return y


def slice_(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take some of the channels."""
    return inputs[0][..., operator.start : operator.start + operator.channels]


def shuffle(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Deal the channels out over the groups."""
    (x,) = inputs
    dealt = x.reshape(*x.shape[:-1], operator.groups, -1)
    return dealt.swapaxes(-1, -2).reshape(x.shape)
