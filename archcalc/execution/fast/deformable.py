"""Run deformable convolutions a row of outputs at a time: its values are gathered, then multiplied."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.activation import ACTIVATIONS
from archcalc.execution.reference.deformable import coordinates
from archcalc.execution.reference.windows import taps


def deformconv(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Gather the values of a row, and multiply them by the kernels of each group."""
    x, offsets = inputs
    places = list(taps(operator.k))
    inside, outside = x.shape[-1] // operator.g, operator.filters // operator.g
    reads = [coordinates(operator, x.shape, offsets, n, tap) for n, tap in enumerate(places)]
    row = np.empty((out.shape[2], len(places), x.shape[-1]), x.dtype)
    for image, line in product(range(len(x)), range(out.shape[1])):
        for number, (down, across) in enumerate(reads):
            _gather(x[image], down[image, line], across[image, line], row[:, number])
        if operator.modulated:
            masks = offsets[image, line, :, 2 * len(places) :]
            row *= ACTIVATIONS["sigmoid"](masks)[..., None]
        for group in range(operator.g):
            mine = row[..., group * inside : (group + 1) * inside].reshape(len(row), -1)
            own = slice(group * outside, (group + 1) * outside)
            out[image, line, :, own] = mine @ weights["weight"][..., own].reshape(-1, outside)
    if not operator.nobias:
        out += weights["bias"]


def _gather(x: Array, down: Array, across: Array, out: Array) -> None:
    """Blend the neighbors of each place; one beyond the map has no share."""
    top, left = np.floor(down).astype(int), np.floor(across).astype(int)
    lower, right = down - top, across - left
    out[...] = 0
    for rows, vertical in ((top, 1 - lower), (top + 1, lower)):
        for columns, horizontal in ((left, 1 - right), (left + 1, right)):
            inside = (rows >= 0) & (rows < x.shape[0]) & (columns >= 0) & (columns < x.shape[1])
            share = np.where(inside, vertical * horizontal, 0).astype(x.dtype)
            near = x[rows.clip(0, x.shape[0] - 1), columns.clip(0, x.shape[1] - 1)]
            out += near * share[:, None]
