"""Compute a deformable convolution: sample the values under every deformed window, then convolve."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.activation import ACTIVATIONS
from archcalc.execution.reference.convolution import conv_by_groups
from archcalc.execution.reference.windows import pad, taps, zeros_around


def deformconv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Sum each filter's products with the values that its window samples, and add its bias."""
    x, offsets = inputs
    places = list(taps(operator.k))
    factors = None
    if operator.modulated:
        factors = ACTIVATIONS["sigmoid"](offsets[..., 2 * len(places) :])
    patches = np.empty_like(x, shape=(*offsets.shape[:-1], *operator.k, x.shape[-1]))
    for number, tap in enumerate(places):
        sampled = _between(x, *coordinates(operator, x.shape, offsets, number, tap))
        if factors is not None:
            sampled = sampled * factors[..., number, None]
        patches[:, :, :, *tap] = sampled
    y = conv_by_groups(operator, patches, weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def coordinates(
    operator: Any, x: tuple[int, ...], offsets: Array, number: int, tap: tuple[int, ...]
) -> tuple[Array, Array]:
    """Return where one tap reads, down and across: images × height × width of the output."""
    before, _ = zeros_around(operator, x)
    moved = np.asarray(offsets[..., 2 * number : 2 * number + 2])
    places = []
    for axis in range(2):
        starts = np.arange(offsets.shape[axis + 1]) * operator.s[axis] - before[axis]
        start = starts + tap[axis] * operator.d[axis]
        places.append(moved[..., axis] + (start[:, None] if axis == 0 else start).astype(moved.dtype))
    return places[0], places[1]


def _between(x: Array, down: Array, across: Array) -> Array:
    """Add up the 4 neighbors of places off the grid, each times its share; zeros around the map."""
    size = np.asarray(x.shape[1:3])
    padded = pad(x, (1, 1), (1, 1))
    image = np.arange(len(x))[:, None, None]
    top, left = np.floor(down), np.floor(across)
    result: Array | None = None
    for u, v in product((0, 1), repeat=2):
        share = (1 - abs(down - top - u)) * (1 - abs(across - left - v))
        row, column = (
            (place + step).clip(-1, n).astype(int) + 1
            for place, step, n in zip((top, left), (u, v), size, strict=True)
        )
        value = padded[image, row, column] * share[..., None].astype(x.dtype)
        result = value if result is None else result + value
    assert result is not None
    return result
