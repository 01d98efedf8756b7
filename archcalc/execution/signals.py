"""Summarize an array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from archcalc.execution.forward import Forward
from archcalc.execution.model import Array
from archcalc.tuples import NamedTuple

CHUNK = 2**20  # values that are converted at a time


class Signal(NamedTuple):
    """Mean, standard deviation, share of zeros and largest absolute value."""

    mean: float
    std: float
    zeros: float
    largest: float


def signal(values: Array) -> Signal:
    """Return the four statistics of an array, summed in float64, however large its values.

    Values are divided by the largest before they are squared: squares of 1e200 would be infinite.
    """
    flat = values.reshape(-1)
    parts = [flat[begin : begin + CHUNK] for begin in range(0, flat.size, CHUNK)]
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is a result
        largest = float(np.max([np.abs(part).max() for part in parts]))
        scale = largest if 0 < largest < np.inf else 1.0
        mean = sum(_sum(part, scale) for part in parts) / flat.size
        variance = sum(_squares(part, scale, mean) for part in parts) / flat.size
    zeros = sum(int(np.count_nonzero(part == 0)) for part in parts)
    return Signal(mean * scale, math.sqrt(variance) * scale, zeros / flat.size, largest)


def _sum(values: Array, scale: float) -> float:
    return float((values.astype(np.float64) / scale).sum())


def _squares(values: Array, scale: float, mean: float) -> float:
    return float(np.square(values.astype(np.float64) / scale - mean).sum())


def top_classes(output: Array, count: int) -> list[Any]:
    """Return the classes with the largest values for the first image of a vector output, ties in order.

    None for a map, or if no ranking exists: all values are equal, or one is not finite.
    """
    vector = output[0].reshape(-1)
    if output.shape[1:-1] != (1, 1) or not np.isfinite(vector).all() or (vector == vector[0]).all():
        return []
    ranked: list[Any] = np.argsort(-vector, kind="stable")[:count].tolist()
    return ranked


def first_broken(forward: Forward, images: Array) -> str | None:
    """Return the first layer whose output is not finite, found by running it again; None if all are."""
    broken: list[int] = []

    def look(index: int, value: Array) -> None:
        if not broken and not np.isfinite(value).all():
            broken.append(index)

    forward.run(images, look)
    return forward.graph.nodes[broken[0]].path if broken else None
