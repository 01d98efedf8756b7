"""Compute values between the positions of a map, by their definition."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import taps

CUBIC = -0.75  # torch's and OpenCV's; Keys 1981 has −0.5


def resample(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add up the neighbors of each output, each times its share."""
    x, sides = inputs[0], sides_of(operator, inputs)
    y: Array | None = None
    for tap in taps(tuple(places.shape[1] for places, _ in sides)):
        value = x
        for axis, ((places, _), which) in enumerate(zip(sides, tap, strict=True), 1):
            value = value[(slice(None),) * axis + (places[:, which],)]
        if not between(operator):
            return value
        columns = [shares[:, which] for (_, shares), which in zip(sides, tap, strict=True)]
        share = reduce(np.multiply.outer, columns)[..., None]
        value = value * share.astype(x.dtype)
        y = value if y is None else y + value
    assert y is not None
    return y


def between(operator: Any) -> bool:
    """Return whether outputs are sums, not copies."""
    return bool(operator.bilinear or operator.bicubic)


def sides_of(operator: Any, inputs: list[Array]) -> list[tuple[Array, Array]]:
    """Return for each axis the places that each output reads, and their shares: outputs × neighbors."""
    sizes = inputs[0].shape[1:-1]
    if operator.name == "upsample":
        wanted = [n * int(factor) for n, factor in zip(sizes, operator.factor, strict=True)]
    else:
        wanted = list(inputs[1].shape[1:-1] if operator.size is None else map(int, operator.size))
    return [_along(operator, n, m) for n, m in zip(sizes, wanted, strict=True)]


def _along(operator: Any, n: int, m: int) -> tuple[Array, Array]:
    """Return the places and shares of m outputs along an axis of n values, as torch has them."""
    outputs = np.arange(m)
    if not between(operator):
        return (outputs * n // m)[:, None], np.ones((m, 1))
    if operator.corners:
        numerator, unit = outputs * (n - 1), max(m - 1, 1)
    else:
        numerator, unit = (2 * outputs + 1) * n - m, 2 * m
    first, rest = numerator // unit, numerator % unit / unit
    if operator.bilinear:
        around, shares = [0, 1], [1 - rest, rest]
    else:
        around, shares = [-1, 0, 1, 2], [_cubic(abs(rest - place)) for place in (-1, 0, 1, 2)]
    places = np.stack([first + place for place in around], axis=1)
    return places.clip(0, n - 1), np.stack(shares, axis=1)


def _cubic(away: Array) -> Array:
    """Compute the share of a neighbor so far away (Keys 1981)."""
    near = (CUBIC + 2) * away**3 - (CUBIC + 3) * away**2 + 1
    far = CUBIC * (away**3 - 5 * away**2 + 8 * away - 4)
    return np.where(away <= 1, near, far)
