"""Join branches by definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights

VECTOR = 4  # axes of vectors, which are maps of 1 × 1


def join(combine: np.ufunc) -> Run:
    """Combine all inputs, first to last."""

    def join(operator: Any, inputs: list[Array], weights: Weights) -> Array:
        first, *others = aligned(operator, inputs)
        for x in others:
            first = combine(first, x)
        return first

    return join


def concat(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Concatenate the channels of all inputs."""
    parts = aligned(operator, inputs)
    y = np.empty_like(parts[0], shape=(*parts[0].shape[:-1], sum(x.shape[-1] for x in parts)))
    begin = 0
    for x in parts:
        y[..., begin : begin + x.shape[-1]] = x
        begin += x.shape[-1]
    return y


def aligned(operator: Any, inputs: list[Array]) -> list[Array]:
    """Inputs cut to the sizes of the first, centered, if the join crops; vectors with all its axes."""
    if not operator.crop:
        axes = next((x.ndim for x in inputs if x.ndim != VECTOR), VECTOR)
        return [x if x.ndim == axes else x.reshape(len(x), *[1] * (axes - 2), -1) for x in inputs]
    cut = []
    for x in inputs:
        sides = zip(x.shape[1:-1], inputs[0].shape[1:-1], strict=True)
        cut.append(x[:, *(slice((n - m) // 2, (n - m) // 2 + m) for n, m in sides)])
    return cut
