"""Execute attention through matrix products: one head at a time, with tiles of scores."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod, sqrt
from typing import Any

import numpy as np

from archcalc.execution.fast.workspace import CHUNK, TILE, flat, take
from archcalc.execution.model import Array
from archcalc.execution.reference.attention import (
    INWARD,
    angles,
    padded_size,
    position_bias,
    regions,
    shifts,
    sources,
)

Weights = dict[str, Array]


def prepare(operator: Any, weights: Weights) -> Weights:
    """Pack the projections by heads of keys: of each its queries side by side, its key, its value.

    `inward` and `inward.bias` have the parts whose inputs have equally many channels in one, so that a
    sequence that attends to itself is projected at once.
    """
    prepared = dict(weights)
    for role in ("weight", "bias"):
        parts = [weights[f"{name}.{role}"] for name in INWARD if f"{name}.{role}" in weights]
        cut = [part.reshape(*part.shape[:-1], _groups(operator), -1) for part in parts]
        cut = [np.ascontiguousarray(np.moveaxis(part, -2, 0)) for part in cut]
        if len({part.shape[:-1] for part in cut}) == 1:
            prepared[f"inward.{role}"] = packed = np.concatenate(cut, axis=-1)
            ends = np.cumsum([part.shape[-1] for part in cut])
            cut = np.split(packed, ends[:-1], axis=-1)
        prepared.update(zip((f"{name}.{role}" for name in INWARD), cut, strict=False))
    if operator.name == "windowattention":
        places = position_bias(weights["position"], operator.window)
        prepared["position"] = np.ascontiguousarray(places)
    return prepared


def _groups(operator: Any) -> int:
    """Return the heads of keys and values."""
    kv = getattr(operator, "kv", None)
    return int(operator.heads if kv is None else kv)


def _bare(operator: Any) -> bool:
    return bool(getattr(operator, "bare", False))


def scratch(operator: Any, *inputs: tuple[int, ...]) -> int:
    """Count the scratch values for one image.

    The queries, key and value of one head of keys, the angles that turn them, scores, and the results
    of all heads. Windows need another copy of the tokens, in their order.
    """
    if operator.name == "windowattention":
        *sides, channels = inputs[0]
        tokens = int(operator.window) ** 2
        windows = prod(padded_size(operator, *sides)) // tokens
        size = channels // operator.heads
        together, rows = _tile(windows, tokens, tokens)
        return int(windows * tokens * (2 * channels + 3 * size) + together * rows * tokens)
    x, keys, values = [*inputs, *inputs[-1:] * (3 - len(inputs))]
    n, m, groups = x[0], keys[0], _groups(operator)
    size = int(x[-1] // operator.heads if operator.head is None else operator.head)
    mixed = values[-1] // groups if operator.bare else size
    inward = n * operator.heads // groups * size + m * (size + mixed) + max(n, m) * size
    return int(inward + n * operator.heads * mixed + _tile(1, n, m)[1] * m)


def attention(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    for image, y in enumerate(out):
        tokens = sources([each[image : image + 1] for each in inputs])
        if "output.weight" not in weights:
            _attend(operator, tokens, weights, flat(y)[None], scratch)
            continue
        results = take(scratch, 0, (*tokens[0].shape[:2], weights["output.weight"].shape[0]))
        _attend(operator, tokens, weights, results, scratch[results.size :])
        _project(flat(results), weights, "output", flat(y))


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
        _attend(operator, (tokens,) * 3, weights, results, scratch[2 * cut.size :], apart)
        _project(flat(results), weights, "output", flat(tokens))
        _scatter(operator, cut, y)


def _attend(
    operator: Any,
    tokens: tuple[Array, Array, Array],
    weights: Weights,
    results: Array,
    scratch: Array,
    regions: Array | None = None,
) -> None:
    """Compute the results of all heads side by side; all: windows × tokens × channels."""
    groups = _groups(operator)
    many, mixed = int(operator.heads) // groups, results.shape[-1] // int(operator.heads)
    for group in range(groups):
        inward, rest = _inward(operator, tokens, weights, group, scratch)
        queries = inward[0].reshape(*inward[0].shape[:2], many, -1)
        for number in range(many):
            head = group * many + number
            own = results[:, :, head * mixed : (head + 1) * mixed]
            _mix(operator, (queries[:, :, number], *inward[1:]), weights, head, own, rest, regions)


def _inward(
    operator: Any, tokens: tuple[Array, ...], weights: Weights, group: int, scratch: Array
) -> tuple[list[Array], Array]:
    """Return queries, key and value of one head of keys, and what is left of the scratch memory."""
    if _bare(operator):
        made, scratch = _cut(operator, tokens, group, scratch)
    elif tokens[0] is tokens[1] is tokens[2] and "inward.weight" in weights:
        whole, scratch = _projected(tokens[0], weights, "inward", group, scratch)
        sizes = [weights[f"{name}.weight"].shape[-1] for name in INWARD]
        made = np.split(whole, np.cumsum(sizes)[:-1], axis=-1)
    else:
        made = []
        for name, x in zip(INWARD, tokens, strict=True):
            part, scratch = _projected(x, weights, name, group, scratch)
            made.append(part)
    if getattr(operator, "rotary", False):
        scratch = _turned(operator, made[:2], made[1].shape[-1], scratch)
    return made, scratch


def _projected(x: Array, weights: Weights, name: str, group: int, scratch: Array) -> tuple[Array, Array]:
    weight = weights[f"{name}.weight"][group]
    own = take(scratch, 0, (*x.shape[:2], weight.shape[-1]))
    np.matmul(flat(x), weight, out=flat(own))
    if f"{name}.bias" in weights:
        np.add(own, weights[f"{name}.bias"][group], out=own)
    return own, scratch[own.size :]


def _cut(
    operator: Any, tokens: tuple[Array, ...], group: int, scratch: Array
) -> tuple[list[Array], Array]:
    """Cut the inputs by heads; queries and keys are copied, as they are scaled and turned."""
    made = []
    for name, x in zip(INWARD, tokens, strict=True):
        width = x.shape[-1] // _groups(operator)
        own = x[:, :, group * width : (group + 1) * width]
        if name != "value":
            copied, scratch = take(scratch, 0, own.shape), scratch[own.size :]
            size = x.shape[-1] // int(operator.heads)
            np.multiply(own, x.dtype.type(1 / sqrt(size) if name == "query" else 1), out=copied)
            own = copied
        made.append(own)
    return made, scratch


def _turned(operator: Any, parts: list[Array], size: int, scratch: Array) -> Array:
    """Turn queries and keys in place, few tokens at a time; return the scratch that is left."""
    places = max(part.shape[1] for part in parts)
    cosine, sine = (take(scratch, i * places * size // 2, (places, size // 2)) for i in range(2))
    step = max(1, CHUNK // size)
    for i in range(0, places, step):
        some = angles(operator.base, min(places, i + step), size, i)
        cosine[i : i + step], sine[i : i + step] = some
    for part in parts:
        pairs = part.reshape(part.shape[1], -1, 2, size // 2)
        few = max(1, CHUNK // part.shape[-1])
        for i in range(0, len(pairs), few):
            first, second = pairs[i : i + few, :, 0], pairs[i : i + few, :, 1]
            c, s = (table[i : i + few][: len(first), None] for table in (cosine, sine))
            low, high = first * c - second * s, second * c + first * s
            first[...], second[...] = low, high
    return scratch[places * size :]


def _mix(
    operator: Any,
    inward: tuple[Array, ...],
    weights: Weights,
    head: int,
    out: Array,
    scratch: Array,
    regions: Array | None,
) -> None:
    """Sum up the values of one head, few scores at a time."""
    query, key, value = inward
    windows, tokens, _ = query.shape
    for some, rows in _tiles(windows, tokens, key.shape[1]):
        ours = query[some, rows]
        scores = take(scratch, 0, (*ours.shape[:2], key.shape[1]))
        np.matmul(ours, key[some].swapaxes(1, 2), out=scores)
        if operator.name == "windowattention":
            np.add(scores, weights["position"][head, rows], out=scores)
        elif "position" in weights:
            _add_distances(weights["position"][:, head], rows.start, scores[0])
        if regions is not None:
            apart = regions[some, rows, None] != regions[some, None]
            np.copyto(scores, -np.inf, where=apart)
        elif operator.name == "attention":
            _hide(operator, rows.start, scores[0])
        _softmax(scores)
        np.matmul(scores, value[some], out=out[some, rows])


def _add_distances(table: Array, first: int, scores: Array) -> None:
    """Add the bias of each distance; the scores are those of queries from `first` on."""
    most, keys = len(table) // 2, np.arange(scores.shape[1])
    for query, row in enumerate(scores, first):
        np.add(row, table[np.clip(query - keys, -most, most) + most], out=row)


def _hide(operator: Any, first: int, scores: Array) -> None:
    """Set the scores to −∞ of tokens that are behind the query, or too far away."""
    if operator.causal or operator.window is not None:
        for query, row in enumerate(scores, first):
            reach = len(row) if operator.window is None else int(operator.window)
            row[: max(0, query - reach + 1)] = -np.inf
            row[query + (1 if operator.causal else reach) :] = -np.inf


def _tile(windows: int, tokens: int, keys: int) -> tuple[int, int]:
    """Return how many windows and rows of queries fill a tile with scores; at least one."""
    rows = min(tokens, max(1, TILE // keys))
    return min(windows, max(1, TILE // (rows * keys))), rows


def _tiles(windows: int, tokens: int, keys: int) -> Iterator[tuple[slice, slice]]:
    together, rows = _tile(windows, tokens, keys)
    for first in range(0, windows, together):
        for top in range(0, tokens, rows):
            yield slice(first, first + together), slice(top, top + rows)


def _softmax(scores: Array) -> None:
    np.subtract(scores, np.maximum.reduce(scores, axis=-1, keepdims=True), out=scores)
    np.exp(scores, out=scores)
    np.divide(scores, np.add.reduce(scores, axis=-1, keepdims=True), out=scores)


def _project(x: Array, weights: Weights, name: str, out: Array) -> None:
    np.matmul(x, weights[f"{name}.weight"], out=out)
    if f"{name}.bias" in weights:
        np.add(out, weights[f"{name}.bias"], out=out)


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
