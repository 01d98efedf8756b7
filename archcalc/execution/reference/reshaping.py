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
    (y,) = inputs
    for axis, factor in enumerate(operator.factor, 1):
        y = np.repeat(y, factor, axis=axis)
    return y


def todepth(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Turn blocks into channels; vertical neighbors come before horizontal ones."""
    (x,) = inputs
    sides = [(-n % factor, factor) for n, factor in zip(x.shape[1:-1], operator.factor, strict=True)]
    x = pad(x, [0] * len(sides), [more for more, _ in sides])
    sizes = (part for n, (_, f) in zip(x.shape[1:-1], sides, strict=True) for part in (n // f, f))
    cut = x.reshape(len(x), *sizes, x.shape[-1])
    places, inside = range(1, cut.ndim - 1, 2), range(cut.ndim - 2, 0, -2)
    cut = cut.transpose(0, *places, *inside, cut.ndim - 1)
    return cut.reshape(*cut.shape[: 1 + len(sides)], -1)


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
