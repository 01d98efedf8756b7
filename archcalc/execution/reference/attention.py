"""Compute attention by its definition, and cut a map into windows for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.activation import softmax


def attention(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Let every token of the image attend to all."""
    (x,) = inputs
    return _attend(x, weights, operator.heads)


def windowattention(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Let every token attend to those of its window."""
    (x,) = inputs
    bias = position_bias(weights["position"], operator.window)
    apart = apart_of(regions(operator, x.shape[1], x.shape[2]))
    y = _attend(to_windows(operator, x), weights, operator.heads, bias, apart)
    return from_windows(operator, y, x.shape)


def _attend(
    x: Array, weights: Weights, heads: int, bias: Array | None = None, apart: Array | None = None
) -> Array:
    """Attend; x: images · windows × tokens × channels; see `position_bias` and `apart_of`."""
    query, key, value = (
        split_heads(np.matmul(x, weights["weight"][i]) + weights["bias"][i], heads) for i in range(3)
    )
    scores = np.matmul(query, key.swapaxes(-1, -2))
    if bias is not None:
        scores = scores + bias
    set_apart(scores, apart)
    y = np.matmul(softmax(scores), value).swapaxes(1, 2).reshape(x.shape)
    return np.matmul(y, weights["weight"][3]) + weights["bias"][3]


def split_heads(x: Array, heads: int) -> Array:
    """Split windows × tokens × channels into windows × heads × tokens × channels of a head."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def set_apart(scores: Array, apart: Array | None) -> None:
    """Set the scores of separated tokens to −∞; scores: images · windows × heads × n × n."""
    if apart is not None:
        by_window = scores.reshape(-1, len(apart), *scores.shape[1:])
        np.copyto(by_window, -np.inf, where=apart[:, None])


def position_bias(position: Array, window: int) -> Array:
    """Return heads × queries × keys: the learned bias for the key's position relative to the query.

    `position`: (2·window − 1)² × heads, by rows and columns from the key to the query.
    """
    rows, columns = (place.reshape(-1) for place in np.indices((window, window)))
    down = rows[:, None] - rows + window - 1
    across = columns[:, None] - columns + window - 1
    return position[down, across].transpose(2, 0, 1)


def shifts(operator: Any, height: int, width: int) -> tuple[int, int]:
    """Return the shift of the grid in rows and columns: none where one window spans the map."""
    down, across = (int(operator.shift) if n > operator.window else 0 for n in (height, width))
    return down, across


def padded_size(operator: Any, height: int, width: int) -> tuple[int, int]:
    """Return height and width of the map padded with zeros to whole windows."""
    down, across = (-(-n // operator.window) * operator.window for n in (height, width))
    return int(down), int(across)


def to_windows(operator: Any, x: Array) -> Array:
    """Return a map as images · windows × tokens × channels: padded, rolled by the shift, cut."""
    images, height, width, channels = x.shape
    down, across = padded_size(operator, height, width)
    padded = np.zeros_like(x, shape=(images, down, across, channels))
    padded[:, :height, :width] = x
    padded = np.roll(padded, [-n for n in shifts(operator, height, width)], (1, 2))
    side = int(operator.window)
    cut = padded.reshape(images, down // side, side, across // side, side, channels)
    return cut.swapaxes(2, 3).reshape(-1, side * side, channels)


def from_windows(operator: Any, tokens: Array, shape: tuple[int, ...]) -> Array:
    """Undo `to_windows`: return the map without its padding."""
    images, height, width, channels = shape
    down, across = padded_size(operator, height, width)
    side = int(operator.window)
    cut = tokens.reshape(images, down // side, across // side, side, side, channels)
    padded = cut.swapaxes(2, 3).reshape(images, down, across, channels)
    return np.roll(padded, shifts(operator, height, width), (1, 2))[:, :height, :width]


def regions(operator: Any, height: int, width: int) -> Array | None:
    """Return windows × tokens, with equal numbers for tokens that were neighbors before the roll.

    Return None if nothing was rolled.
    """
    moved = shifts(operator, height, width)
    if not any(moved):
        return None
    size = padded_size(operator, height, width)
    down, across = (np.arange(n) >= n - shift for n, shift in zip(size, moved, strict=True))
    side = int(operator.window)
    cut = (2 * down[:, None] + across).astype(np.int8).reshape(-1, side, size[1] // side, side)
    return cut.swapaxes(1, 2).reshape(-1, side * side)


def apart_of(regions: Array | None) -> Array | None:
    """Return windows × queries × keys: whether a pair is from different regions."""
    return None if regions is None else regions[:, :, None] != regions[:, None]
