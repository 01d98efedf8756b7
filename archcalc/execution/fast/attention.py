"""Execute attention through matrix products: one head at a time, with tiles of scores."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from archcalc.execution.fast.workspace import TILE, flat, take
from archcalc.execution.model import Array
from archcalc.execution.reference.attention import padded_size, position_bias, regions, shifts

Weights = dict[str, Array]


def prepare(operator: Any, weights: Weights) -> Weights:
    """Pack query, key and value of a head side by side: heads × channels × 3 · channels of a head."""
    weight, bias, heads = weights["weight"], weights["bias"], operator.heads
    channels = weight.shape[-1]
    inward = weight[:3].reshape(3, channels, heads, -1).transpose(2, 1, 0, 3)
    terms = bias[:3].reshape(3, heads, -1).swapaxes(0, 1)
    prepared = {
        "inward": np.ascontiguousarray(inward).reshape(heads, channels, -1),
        "inward bias": np.ascontiguousarray(terms).reshape(heads, -1),
        "outward": weight[3],
        "outward bias": bias[3],
    }
    if "position" in weights:
        bias = position_bias(weights["position"], operator.window)
        prepared["position"] = np.ascontiguousarray(bias)
    return prepared


def scratch(operator: Any, x: tuple[int, ...]) -> int:
    """Count the scratch values for one image: a head's projections, scores, and all heads' results.

    Windows need another copy of the tokens, in their order.
    """
    *sides, channels = x
    windows, tokens, copies = 1, prod(sides), 1
    if operator.name == "windowattention":
        height, width = padded_size(operator, *sides)
        tokens, copies = int(operator.window) ** 2, 2
        windows = height * width // tokens
    head = channels // operator.heads
    together, rows = _tile(windows, tokens)
    return int(windows * tokens * (copies * channels + 3 * head) + together * rows * tokens)


def attention(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    for x, y in zip(inputs[0], out, strict=True):
        results = take(scratch, 0, (1, *flat(x).shape))
        _attend(operator, flat(x)[None], weights, results, scratch[results.size :])
        _project(flat(results), weights, flat(y))


def windowattention(
    operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array
) -> None:
    height, width, channels = out.shape[1:]
    down, across = padded_size(operator, height, width)
    side = int(operator.window)
    cut = take(scratch, 0, (down // side, across // side, side, side, channels))
    tokens = cut.reshape(-1, side * side, channels)
    results = take(scratch, cut.size, tokens.shape)
    apart = regions(operator, height, width)
    for x, y in zip(inputs[0], out, strict=True):
        _gather(operator, x, cut)
        _attend(operator, tokens, weights, results, scratch[2 * cut.size :], apart)
        _project(flat(results), weights, flat(tokens))
        _scatter(operator, cut, y)


def _attend(
    operator: Any,
    x: Array,
    weights: Weights,
    results: Array,
    scratch: Array,
    regions: Array | None = None,
) -> None:
    """Compute the results of all heads side by side; x and results: windows × tokens × channels."""
    windows, tokens, channels = x.shape
    size = channels // int(operator.heads)
    projected = take(scratch, 0, (windows * tokens, 3 * size))
    query, key, value = projected.reshape(windows, tokens, 3, size).transpose(2, 0, 1, 3)
    for head in range(operator.heads):
        np.matmul(flat(x), weights["inward"][head], out=projected)
        np.add(projected, weights["inward bias"][head], out=projected)
        own = results[:, :, head * size : (head + 1) * size]
        for some, rows in _tiles(windows, tokens):
            ours = query[some, rows]
            scores = take(scratch, projected.size, (*ours.shape[:2], tokens))
            np.matmul(ours, key[some].swapaxes(1, 2), out=scores)
            if "position" in weights:
                np.add(scores, weights["position"][head, rows], out=scores)
            if regions is not None:
                apart = regions[some, rows, None] != regions[some, None]
                np.copyto(scores, -np.inf, where=apart)
            _softmax(scores)
            np.matmul(scores, value[some], out=own[some, rows])


def _tile(windows: int, tokens: int) -> tuple[int, int]:
    """Return how many windows and rows of queries fill a tile with scores; at least one."""
    rows = min(tokens, max(1, TILE // tokens))
    return min(windows, max(1, TILE // (rows * tokens))), rows


def _tiles(windows: int, tokens: int) -> Iterator[tuple[slice, slice]]:
    together, rows = _tile(windows, tokens)
    for first in range(0, windows, together):
        for top in range(0, tokens, rows):
            yield slice(first, first + together), slice(top, top + rows)


def _softmax(scores: Array) -> None:
    np.subtract(scores, np.maximum.reduce(scores, axis=-1, keepdims=True), out=scores)
    np.exp(scores, out=scores)
    np.divide(scores, np.add.reduce(scores, axis=-1, keepdims=True), out=scores)


def _project(results: Array, weights: Weights, out: Array) -> None:
    np.matmul(results, weights["outward"], out=out)
    np.add(out, weights["outward bias"], out=out)


def _rows(operator: Any, shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """Yield per row of the rolled map: row of windows, row in a window, row of the map."""
    height, width, _ = shape
    size, shift = padded_size(operator, height, width)[0], shifts(operator, height, width)[0]
    for row in range(size):
        yield *divmod(row, int(operator.window)), (row + shift) % size


def _columns(operator: Any, shape: tuple[int, ...]) -> Array:
    """Return for each column of the rolled map its column in the map, or beyond it."""
    height, width, _ = shape
    size, shift = padded_size(operator, height, width)[1], shifts(operator, height, width)[1]
    return (np.arange(size) + shift) % size


def _gather(operator: Any, x: Array, cut: Array) -> None:
    """Copy a map row by row into its windows, with zeros beyond it.

    cut: windows down × across × rows × columns × channels.
    """
    columns = _columns(operator, x.shape)
    beyond = columns >= x.shape[1]
    for down, inside, source in _rows(operator, x.shape):
        target = cut[down, :, inside]
        if source < len(x):
            row = x[source].take(columns, axis=0, mode="clip")
            row[beyond] = 0
            target[...] = row.reshape(target.shape)
        else:
            target[...] = 0


def _scatter(operator: Any, cut: Array, y: Array) -> None:
    """Undo `_gather`."""
    columns = _columns(operator, y.shape)
    inner = columns < y.shape[1]
    for down, inside, source in _rows(operator, y.shape):
        if source < len(y):
            y[source, columns[inner]] = flat(cut[down, :, inside])[inner]
