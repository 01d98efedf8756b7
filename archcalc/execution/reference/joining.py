"""Join branches by definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights


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
    """Crop inputs to the height and width of the first, centered, if the join crops."""
    if not operator.crop:
        return inputs
    _, height, width, _ = inputs[0].shape
    cut = []
    for x in inputs:
        top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
        cut.append(x[:, top : top + height, left : left + width])
    return cut
