"""Make inputs from a seed."""

from __future__ import annotations

import numpy as np

from archcalc.execution.model import Array
from archcalc.operators.shape import Shape


def seeded_input(shape: Shape, batch: int, seed: int) -> Array:
    """Return images × positions × channels of standard normal values."""
    sizes = (batch, *map(int, shape))
    return np.random.default_rng(seed).standard_normal(sizes, dtype=np.float32)
