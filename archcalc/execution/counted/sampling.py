"""Sample the values under deformed windows, every multiply and addition of a neighbor counted."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import spread
from archcalc.execution.counted import arrays, kernels
from archcalc.execution.counted.places import stand
from archcalc.execution.counted.products import plain
from archcalc.execution.reference.activation import ACTIVATIONS

Array: TypeAlias = Any  # an ndarray of float32


def windows(operator: Any, inputs: list[Array]) -> tuple[Array, Counter[str]]:
    """Return what the windows read, k·k values for each output side by side, and the steps."""
    x, moved = (np.asarray(array, np.float32) for array in inputs)
    images, height, width, channels = x.shape
    high, wide = (int(k) for k in operator.k)
    y = np.empty((images, moved.shape[1], high, moved.shape[2], wide, channels), np.float32)
    offsets = moved[..., : 2 * high * wide].reshape(*moved.shape[:3], high, wide, 2)
    offsets = offsets.swapaxes(2, 3)  # in the order of y
    down = _taps(operator, 0, height)[:, :, None, None] + offsets[..., 0].astype(float)
    across = _taps(operator, 1, width).reshape(1, 1, -1, wide) + offsets[..., 1].astype(float)
    around, shares = _neighbors(down.reshape(-1), across.reshape(-1), height + 2, width + 2)
    image = np.repeat(np.arange(images), down.size // images) * ((height + 2) * (width + 2))
    values = plain(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))).reshape(-1, channels)
    target = y.reshape(-1, channels)
    steps = spread(kernels.sample_rows, len(target), values, image[:, None] + around, shares, target)
    counts = Counter(multiplies=int(steps[0]), additions=int(steps[1]))
    if operator.modulated:
        counter = arrays.Counter()
        masks = ACTIVATIONS["sigmoid"](arrays.counted(moved[..., 2 * high * wide :], counter))
        masks = np.asarray(masks).reshape(*moved.shape[:3], high, wide).swapaxes(2, 3)
        counts.update(counter.counts)
        counts["multiplies"] += kernels.scale(target, np.array(masks, np.float32).reshape(-1))
    return y.reshape(images, y.shape[1] * high, -1, channels), counts


def _taps(operator: Any, axis: int, size: int) -> Array:
    """Return the position of each tap of each window without its offset: outputs × kernel."""
    starts = np.asarray(stand(operator, axis, size).starts)
    return starts[:, None] + int(operator.d[axis]) * np.arange(int(operator.k[axis]))


def _neighbors(down: Array, across: Array, height: int, width: int) -> tuple[Array, Array]:
    """Return the 4 neighbors of each place in a map with a border of zeros, and their weights."""
    around, shares = np.empty((len(down), 4), np.int64), np.empty((len(down), 4), np.float32)
    for number, (u, v) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        row, column = np.floor(down) + u, np.floor(across) + v
        shares[:, number] = (1 - np.abs(row - down)) * (1 - np.abs(column - across))
        row, column = np.clip(row + 1, 0, height - 1), np.clip(column + 1, 0, width - 1)
        around[:, number] = row * width + column
    return around, shares
