"""Execute matrix products, and the attention that is made of them, every step counted."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import spread
from archcalc.execution.counted import kernels
from archcalc.execution.reference import attention as definition
from archcalc.tuples import NamedTuple

Array: TypeAlias = Any  # an ndarray of float32
Weights: TypeAlias = dict[str, Array]


class Executed(NamedTuple):
    """The result of the loops, and the number of steps of each kind over all images.

    `products` are those of a weight and an input value; `multiplies` include them.
    """

    output: Array  # images × positions × channels
    counts: dict[str, int]


def linear(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x, w = vector(inputs[0]), plain(weights["weight"])
    y = np.empty((*x.shape[:-1], w.shape[1]), np.float32)
    flat = plain(x).reshape(-1, w.shape[0])
    counts = spread(kernels.linear_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return biased(operator, y, weights, counts)


def unembed(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    return linear(SimpleNamespace(nobias=True), inputs, {"weight": weights["weight"].T})


def attention(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    counts: Counter[str] = Counter()
    sources = definition.sources([plain(x) for x in inputs])
    heads = definition.heads_of(operator)
    query, key, value = (
        definition.parts(_project(x, weights, name, counts), split)
        for x, name, split in zip(sources, definition.INWARD, heads, strict=True)
    )
    if operator.bare:
        scaled = np.array(query, np.float32, order="C")
        factors = np.full(scaled[..., 0].size, 1 / sqrt(query.shape[-1]), np.float32)
        counts["multiplies"] += kernels.scale(scaled.reshape(-1, query.shape[-1]), factors)
        query = scaled
    if operator.rotary:
        query, key = (_turn(part, operator.base, counts) for part in (query, key))
    bias, places = None, (query.shape[2], key.shape[2])
    if operator.relative is not None:
        bias = definition.distance_bias(weights["position"], *places)
    key, value = (np.repeat(part, heads[0] // heads[1], 1) for part in (key, value))
    y = _mix(query, key, value, counts, bias, definition.hidden(operator, places[0]))
    return executed(_project(y, weights, "output", counts), **counts)


def windowattention(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x, counts = plain(inputs[0]), Counter[str]()
    bias = definition.position_bias(weights["position"], operator.window)
    apart = definition.apart_of(definition.regions(operator, *x.shape[1:3]))
    tokens = definition.to_windows(operator, x)
    query, key, value = (
        definition.parts(_project(tokens, weights, name, counts), int(operator.heads))
        for name in definition.INWARD
    )
    y = _project(_mix(query, key, value, counts, bias, apart), weights, "output", counts)
    return executed(definition.from_windows(operator, y, x.shape), **counts)


def matmul(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Multiply the matrices of two tensors; leading axes of 1 stretch."""
    axes = max(x.ndim for x in inputs)
    x, w = (a.reshape(len(a), *[1] * (axes - a.ndim), *a.shape[1:]) for a in inputs)
    w = w.swapaxes(-1, -2) if operator.transposed else w
    side = np.broadcast_shapes(x.shape[:-2], w.shape[:-2])
    x, w = (np.broadcast_to(a, (*side, *a.shape[-2:])) for a in (x, w))
    counts: Counter[str] = Counter()
    y = _products(x, w, counts)
    if operator.scaled:
        share = np.full(y.size // y.shape[-1], 1 / x.shape[-1] ** 0.5, np.float32)
        counts["multiplies"] += kernels.scale(y.reshape(-1, y.shape[-1]), share)
    return executed(y, **counts)


def _mix(
    query: Array, key: Array, value: Array, counts: Counter[str], bias: Array | None, apart: Array | None
) -> Array:
    """Execute what `attention` defines; all: images · windows × heads × tokens × channels of a head."""
    scores = _products(query, key.swapaxes(-1, -2), counts)
    if bias is not None:
        counts["additions"] += kernels.bias(scores.reshape(len(query), -1), plain(bias).reshape(-1))
    definition.set_apart(scores, apart)
    y = _products(_softmax(scores, counts), value, counts).swapaxes(1, 2)
    return plain(y.reshape(*y.shape[:2], -1))


def _turn(x: Array, base: int, counts: Counter[str]) -> Array:
    """Turn pairs of channels by the angles of their place."""
    y, tables = np.empty(x.shape, np.float32), definition.angles(base, x.shape[-2], x.shape[-1])
    cosine, sine = map(plain, tables)
    rows = (y.reshape(-1, x.shape[-1]), plain(x).reshape(-1, x.shape[-1]))
    multiplies, additions = spread(kernels.turn_rows, len(rows[0]), rows[1], cosine, sine, rows[0])
    counts.update(multiplies=multiplies, additions=additions)
    return y


def _project(x: Array, weights: Weights, name: str, counts: Counter[str]) -> Array:
    """Run a projection to queries, keys, values or outputs; without weights, return x."""
    own = {role: weights[f"{name}.{role}"] for role in ("weight", "bias") if f"{name}.{role}" in weights}
    if not own:
        return x
    done = linear(SimpleNamespace(nobias="bias" not in own), [x], own)
    counts.update(done.counts)
    return done.output


def _products(x: Array, w: Array, counts: Counter[str]) -> Array:
    """Multiply matrix by matrix; x: … × rows × channels, w: … × channels × columns."""
    y = np.empty((*x.shape[:-1], w.shape[-1]), np.float32)
    x, w, z = (array.reshape(-1, *array.shape[-2:]) for array in (plain(x), plain(w), y))
    products, additions = spread(kernels.product_rows, len(x) * x.shape[1], x, w, z)
    counts.update(products=products, multiplies=products, additions=additions)
    return y


def _softmax(x: Array, counts: Counter[str]) -> Array:
    """Take the softmax of the last axis."""
    y = np.empty_like(x)
    rows, z = plain(x).reshape(-1, x.shape[-1]), y.reshape(-1, x.shape[-1])
    largest = np.empty(len(rows), np.float32)
    (comparisons,) = spread(kernels.largest_rows, len(rows), rows, largest)
    exponentials, additions, divisions = spread(kernels.softmax_rows, len(rows), rows, largest, z)
    counts.update(
        comparisons=comparisons, exponentials=exponentials, additions=additions, divisions=divisions
    )
    return y


def vector(x: Array) -> Array:
    return x.reshape(len(x), 1, 1, -1) if x.ndim > 4 else x


def plain(array: Array) -> Array:
    """Return the array as nests take it: contiguous and read-only, so that one compilation suffices."""
    view = np.ascontiguousarray(array, np.float32).view()
    view.flags.writeable = False
    return view


def biased(operator: Any, y: Array, weights: Weights, counts: tuple[int, ...]) -> Executed:
    products, additions = counts
    if not operator.nobias:
        additions += kernels.bias(y.reshape(-1, y.shape[-1]), plain(weights["bias"]))
    return executed(y, products=products, multiplies=products, additions=additions)


def executed(y: Array, **counts: int) -> Executed:
    return Executed(y, {kind: int(count) for kind, count in counts.items() if count})
