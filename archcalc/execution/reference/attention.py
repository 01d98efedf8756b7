"""Compute attention by its definition, and cut a map into windows for it."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.activation import softmax

INWARD = ("query", "key", "value")


def attention(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Let every token attend to all, or to those of the memory."""
    x, keys, values = sources(inputs)
    query, key, value = (
        parts(project(source, weights, name), heads)
        for source, name, heads in zip((x, keys, values), INWARD, heads_of(operator), strict=True)
    )
    if operator.bare:
        query = query * query.dtype.type(1 / sqrt(query.shape[-1]))
    if operator.rotary:
        query, key = (turn(part, operator.base) for part in (query, key))
    bias = None
    if operator.relative is not None:
        bias = distance_bias(weights["position"], x.shape[1], keys.shape[1])
    group = operator.heads // heads_of(operator)[1]
    key, value = np.repeat(key, group, 1), np.repeat(value, group, 1)
    return project(_mix(query, key, value, bias, hidden(operator, x.shape[1])), weights, "output")


def windowattention(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Let every token attend to those of its window."""
    (x,) = inputs
    bias = position_bias(weights["position"], operator.window)
    apart = apart_of(regions(operator, x.shape[1], x.shape[2]))
    tokens = to_windows(operator, x)
    query, key, value = (parts(project(tokens, weights, name), operator.heads) for name in INWARD)
    y = project(_mix(query, key, value, bias, apart), weights, "output")
    return from_windows(operator, y, x.shape)


def sources(inputs: list[Array]) -> tuple[Array, Array, Array]:
    """Return the tokens of queries, keys and values: images × tokens × channels."""
    tokens = [x.reshape(len(x), -1, x.shape[-1]) for x in inputs]
    x, keys, values = [*tokens, *tokens[-1:] * (3 - len(tokens))]
    return x, keys, values


def heads_of(operator: Any) -> tuple[int, int, int]:
    """Return how many heads queries, keys and values have."""
    kv = operator.heads if operator.kv is None else operator.kv
    return operator.heads, kv, kv


def project(x: Array, weights: Weights, name: str) -> Array:
    """Multiply by the weights of that name, and add the bias; without such weights it is x."""
    if f"{name}.weight" not in weights:
        return x
    y = np.matmul(x, weights[f"{name}.weight"])
    return y + weights[f"{name}.bias"].reshape(y.shape[-1]) if f"{name}.bias" in weights else y


def _mix(
    query: Array, key: Array, value: Array, bias: Array | None = None, apart: Array | None = None
) -> Array:
    """Sum up the values; all: images · windows × heads × tokens × channels of a head.

    See `position_bias` and `apart_of`.
    """
    scores = np.matmul(query, key.swapaxes(-1, -2))
    if bias is not None:
        scores = scores + bias
    set_apart(scores, apart)
    mixed = np.matmul(softmax(scores), value).swapaxes(1, 2)
    return mixed.reshape(*mixed.shape[:2], -1)


def parts(x: Array, heads: int) -> Array:
    """Split windows × tokens × channels into windows × heads × tokens × channels of a head."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def angles(base: int, places: int, width: int, first: int = 0) -> tuple[Array, Array]:
    """Return cosine and sine of place · base^(−2i/width) for pair i: places from `first` × width/2."""
    pairs = np.arange(width // 2)
    turned = np.arange(first, places)[:, None] * float(base) ** (-2 * pairs / width)
    return np.cos(turned), np.sin(turned)


def turn(x: Array, base: int) -> Array:
    """Turn channel i and i + width/2 of each head as a pair, by the angle of the token's place."""
    half = x.shape[-1] // 2
    cosine, sine = (np.asarray(part, x.dtype) for part in angles(base, x.shape[-2], 2 * half))
    first, second = x[..., :half], x[..., half:]
    y = np.empty_like(x)
    y[..., :half] = first * cosine - second * sine
    y[..., half:] = second * cosine + first * sine
    return y


def hidden(operator: Any, tokens: int) -> Array | None:
    """Return 1 × queries × keys: whether no score is left of a pair; None if all are."""
    if not operator.causal and operator.window is None:
        return None
    ahead = np.arange(tokens) - np.arange(tokens)[:, None]
    apart = ahead > 0 if operator.causal else np.zeros_like(ahead, np.bool)
    if operator.window is not None:
        apart = apart | (np.abs(ahead) >= operator.window)
    return apart[None]


def distance_bias(position: Array, queries: int, keys: int) -> Array:
    """Return heads × queries × keys: the learned bias for the distance from the key to the query."""
    most = len(position) // 2
    distance = np.arange(queries)[:, None] - np.arange(keys)
    return position[np.clip(distance, -most, most) + most].transpose(2, 0, 1)


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
