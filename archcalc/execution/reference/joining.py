"""Join branches by definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights
from archcalc.execution.reference.windows import PLACES, part

VECTOR = 4  # axes of vectors, which are maps of 1 × 1


def join(combine: np.ufunc) -> Run:
    """Combine all inputs, first to last, each with the whole of the output."""

    def join(operator: Any, inputs: list[Array], weights: Weights) -> Array:
        first, *others = parts = aligned(operator, inputs)
        sizes = np.broadcast_shapes(*(x.shape for x in parts))
        first = np.broadcast_to(first, sizes, subok=True)
        for x in others:
            first = combine(first, x)
        return first

    return join


def concat(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Lay all inputs behind each other along an axis."""
    parts, place = aligned(operator, inputs), PLACES[operator.axis]
    sizes = list(parts[0].shape)
    sizes[place] = sum(x.shape[place] for x in parts)
    y = np.empty_like(parts[0], shape=tuple(sizes))
    lay(operator.axis, parts, y)
    return y


def lay(axis: str, parts: list[Array], y: Array) -> None:
    """Copy one behind the other into `y`."""
    begin = 0
    for x in parts:
        size = x.shape[PLACES[axis]]
        part(y, axis, begin, size)[...] = x
        begin += size


def aligned(operator: Any, inputs: list[Array]) -> list[Array]:
    """Return the inputs, cut to the sizes of the first if the join crops; vectors with all its axes."""
    if not operator.crop:
        axes = next((x.ndim for x in inputs if x.ndim != VECTOR), VECTOR)
        return [x if x.ndim == axes else x.reshape(len(x), *[1] * (axes - 2), -1) for x in inputs]
    cut = []
    for x in inputs:
        sides = zip(x.shape[1:-1], inputs[0].shape[1:-1], strict=True)
        cut.append(x[:, *(slice((n - m) // 2, (n - m) // 2 + m) for n, m in sides)])
    return cut
