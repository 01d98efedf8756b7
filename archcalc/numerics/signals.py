"""Inputs from a seed, and what one wants to know of an array at a glance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from archcalc.numerics.reference import Array
from archcalc.operators.model import Shape


class Signal(NamedTuple):
    """Mean, standard deviation, share of zeros and largest absolute value."""

    mean: float
    std: float
    zeros: float
    largest: float


def seeded_input(shape: Shape, batch: int, seed: int) -> Array:
    """images × height × width × channels of standard normal values."""
    sizes = (batch, *map(int, shape))
    return np.random.default_rng(seed).standard_normal(sizes, dtype=np.float32)


def signal(values: Array) -> Signal:
    """The four figures of an array."""
    zeros = float(np.count_nonzero(values == 0)) / values.size
    return Signal(float(values.mean()), float(values.std()), zeros, float(np.abs(values).max()))


def top_classes(output: Array, count: int) -> list[Any]:
    """The classes with the largest values for the first image of a vector output; none for a map."""
    vector = output[0, 0, 0]
    return vector.argsort()[::-1][:count].tolist() if output.shape[1:3] == (1, 1) else []
