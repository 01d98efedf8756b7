"""Execute windows, products and attention by their loop nests, at full size, every step counted.

The nests in `kernels` take plain arrays; this module maps the operators' arguments to them. Nothing
here asks an operator for its shapes or its work. The data must be finite: a count that is too low may
come from ∞·0. Padding of NaN instead of zeros excludes the padding from the counts: `useful`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from archcalc.compiled import spread
from archcalc.execution.counted import kernels
from archcalc.execution.reference import attention
from archcalc.execution.reference.pooling import shares
from archcalc.execution.reference.windows import cells, pad, zeros_around

Array: TypeAlias = Any  # an ndarray of float32
Weights: TypeAlias = dict[str, Array]
Pair: TypeAlias = tuple[int, int]


class Executed(NamedTuple):
    """The result of the loops, and the number of steps of each kind over all images.

    `products` are those of a weight and an input value; `multiplies` include them.
    """

    output: Array  # images × height × width × channels
    counts: dict[str, int]


def run(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Execute the operator by its loop nest, in float32, on all cores.

    Raises:
        KeyError: the operator has no nest; `REFUSED` says why.
    """
    return LOOPS[operator.name](operator, inputs, weights)


def useful(operator: Any, inputs: list[Array], weights: Weights) -> int:
    """Return how many products of a convolution involve real pixels.

    Products with padding of NaN are not equal to themselves, so they do not count.
    """
    return _conv(operator, inputs, weights, padding=float("nan")).counts.get("products", 0)


def _conv(operator: Any, inputs: list[Array], weights: Weights, padding: float = 0.0) -> Executed:
    (x,), w, groups = inputs, _plain(weights["weight"]), int(operator.g)
    x = _plain(pad(np.asarray(x, np.float32), *zeros_around(operator, x.shape), value=padding))
    y, steps = _windows(x, operator, int(operator.filters)), (_ints(operator.s), _ints(operator.d))
    counts: tuple[int, ...]
    if operator.table is not None:
        counts = _by_table(operator.table, x, w, y, steps)
    elif groups == x.shape[-1] == y.shape[-1] > 1:
        counts = spread(kernels.depthwise_rows, len(y), x, w[:, :, 0], y, *steps)
    else:
        x, w, outputs = _grouped(x, groups), _grouped(w, groups), y.reshape(*y.shape[:2], groups, -1)
        counts = spread(kernels.conv_rows, len(y), x, w, outputs, *steps)
    return _biased(operator, y.reshape(len(x), -1, *y.shape[1:]), weights, counts)


def _by_table(table: Any, x: Array, w: Array, y: Array, steps: tuple[Pair, Pair]) -> Pair:
    """Execute each filter as a convolution of the channels linked to it."""
    products, additions, begin = 0, 0, 0
    for number, links in enumerate(table):
        own = w[..., begin : begin + len(links), None, None]
        part = np.empty((*y.shape[:2], 1, 1), np.float32)
        linked = _plain(x[..., None, list(links)])
        done = spread(kernels.conv_rows, len(y), linked, _plain(own), part, *steps)
        y[..., number] = part[..., 0, 0]
        products, additions, begin = products + done[0], additions + done[1], begin + len(links)
    return products, additions


def _deconv(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Compute the whole output, then crop the padding."""
    groups, s, (down, across) = int(operator.g), _ints(operator.s), _ints(operator.p)
    x, w = _grouped(inputs[0], groups), _grouped(weights["weight"], groups)
    images, height, width = x.shape[:3]
    size = ((height - 1) * s[0] + w.shape[0], (width - 1) * s[1] + w.shape[1])
    y = np.zeros((images * size[0], size[1], groups, w.shape[-1]), np.float32)
    counts = spread(kernels.deconv_rows, y.shape[0], x, w, y, s)
    y = y.reshape(images, *size, -1)[:, down : size[0] - down, across : size[1] - across]
    return _biased(operator, np.ascontiguousarray(y), weights, counts)


def _linear(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), w = inputs, _plain(weights["weight"])
    y = np.empty((*x.shape[:-1], w.shape[1]), np.float32)
    flat = _plain(x).reshape(-1, w.shape[0])
    counts = spread(kernels.linear_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return _biased(operator, y, weights, counts)


def _attention(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = _plain(inputs[0])
    y, counts = _attend(x[:, :, 0], weights, int(operator.heads))
    return _executed(y[:, :, None], **counts)


def _windowattention(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = _plain(inputs[0])
    bias = attention.position_bias(weights["position"], operator.window)
    apart = attention.apart_of(attention.regions(operator, *x.shape[1:3]))
    tokens = attention.to_windows(operator, x)
    y, counts = _attend(tokens, weights, int(operator.heads), bias, apart)
    return _executed(attention.from_windows(operator, y, x.shape), **counts)


def _attend(
    x: Array, weights: Weights, heads: int, bias: Array | None = None, apart: Array | None = None
) -> tuple[Array, Counter[str]]:
    """Execute attention as `attention` defines it; x: images · windows × tokens × channels."""
    counts: Counter[str] = Counter()
    query, key, value = (
        attention.split_heads(_project(x, weights, part, counts), heads) for part in range(3)
    )
    scores = _products(query, key.swapaxes(-1, -2), counts)
    if bias is not None:
        counts["additions"] += kernels.bias(scores.reshape(len(x), -1), _plain(bias).reshape(-1))
    attention.set_apart(scores, apart)
    y = _products(_softmax(scores, counts), value, counts)
    return _project(y.swapaxes(1, 2).reshape(x.shape), weights, 3, counts), counts


def _project(x: Array, weights: Weights, part: int, counts: Counter[str]) -> Array:
    """Project to queries, keys, values or outputs: a linear layer."""
    operator = SimpleNamespace(nobias=False)
    done = _linear(operator, [x], {role: weights[role][part] for role in ("weight", "bias")})
    counts.update(done.counts)
    return done.output


def _products(x: Array, w: Array, counts: Counter[str]) -> Array:
    """Multiply matrix by matrix; x: … × rows × channels, w: … × channels × columns."""
    y = np.empty((*x.shape[:-1], w.shape[-1]), np.float32)
    x, w, z = (array.reshape(-1, *array.shape[-2:]) for array in (_plain(x), _plain(w), y))
    products, additions = spread(kernels.product_rows, len(x) * x.shape[1], x, w, z)
    counts.update(products=products, multiplies=products, additions=additions)
    return y


def _softmax(x: Array, counts: Counter[str]) -> Array:
    """Take the softmax of the last axis."""
    y = np.empty_like(x)
    rows, z = _plain(x).reshape(-1, x.shape[-1]), y.reshape(-1, x.shape[-1])
    largest = np.empty(len(rows), np.float32)
    (comparisons,) = spread(kernels.largest_rows, len(rows), rows, largest)
    exponentials, additions, divisions = spread(kernels.softmax_rows, len(rows), rows, largest, z)
    counts.update(
        comparisons=comparisons, exponentials=exponentials, additions=additions, divisions=divisions
    )
    return y


def _rbf(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), w = inputs, _plain(weights["fixed"])
    y = np.zeros((*x.shape[:-1], w.shape[1]), np.float32)
    flat = _plain(x).reshape(-1, w.shape[0])
    squares, additions = spread(kernels.rbf_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return _executed(y, multiplies=squares, additions=additions)


def _pool(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), largest = inputs, operator.name == "maxpool"
    empty = -np.inf if largest else 0.0
    padded = _plain(pad(np.asarray(x, np.float32), *zeros_around(operator, x.shape), value=empty))
    y = _windows(padded, operator, x.shape[-1])
    (steps,) = spread(
        kernels.pool_rows, len(y), padded, y, _ints(operator.k), _ints(operator.s), largest
    )
    counts = {"comparisons" if largest else "additions": steps}
    if operator.name == "avgpool":
        factors = np.tile(shares(operator, np.asarray(x, np.float32)).reshape(-1), len(x))
        counts["multiplies"] = kernels.scale(y.reshape(-1, x.shape[-1]), factors)
    return _executed(y.reshape(len(x), -1, *y.shape[1:]), **counts)


def _gap(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = _plain(inputs[0])
    y = np.empty((len(x), 1, x.shape[-1]), np.float32)
    (additions,) = spread(kernels.pool_rows, len(x), x, y, x.shape[1:3], (1, 1), False)
    multiplies = kernels.scale(y[:, 0], np.full(len(x), 1 / (x.shape[1] * x.shape[2]), np.float32))
    return _executed(y.reshape(len(x), 1, 1, -1), multiplies=multiplies, additions=additions)


def _adaptivepool(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = _plain(inputs[0])
    y = np.empty((len(x), *operator.size, x.shape[3]), np.float32)
    steps = multiplies = 0
    for (i, j), at in cells(operator, x.shape):
        cell = _plain(x[:, at[0], at[1]])
        found, size = np.empty((len(x), 1, x.shape[3]), np.float32), cell.shape[1:3]
        (folded,) = spread(kernels.pool_rows, len(x), cell, found, size, (1, 1), operator.max)
        steps += folded
        if not operator.max:
            shares = np.full(len(x), 1 / (size[0] * size[1]), np.float32)
            multiplies += kernels.scale(found[:, 0], shares)
        y[:, i, j] = found[:, 0]
    counts = {"comparisons": steps} if operator.max else {"additions": steps, "multiplies": multiplies}
    return _executed(y, **counts)


def _windows(x: Array, operator: Any, channels: int) -> Array:
    """Allocate one output per window of the padded `x`: rows of all images × width × channels."""
    rows, columns = (
        (int(size) - int(d) * (int(k) - 1) - 1) // int(s) + 1
        for size, k, s, d in zip(x.shape[1:3], operator.k, operator.s, operator.d, strict=True)
    )
    return np.empty((len(x) * rows, columns, channels), np.float32)


def _grouped(array: Array, groups: int) -> Array:
    return _plain(array).reshape(*array.shape[:-1], groups, -1)


def _plain(array: Array) -> Array:
    """Return the array as nests take it: contiguous and read-only, so that one compilation suffices."""
    view = np.ascontiguousarray(array, np.float32).view()
    view.flags.writeable = False
    return view


def _ints(pair: tuple[Any, Any]) -> Pair:
    return int(pair[0]), int(pair[1])


def _biased(operator: Any, y: Array, weights: Weights, counts: tuple[int, ...]) -> Executed:
    products, additions = counts
    if not operator.nobias:
        additions += kernels.bias(y.reshape(-1, y.shape[-1]), _plain(weights["bias"]))
    return _executed(y, products=products, multiplies=products, additions=additions)


def _executed(y: Array, **counts: int) -> Executed:
    return Executed(y, {kind: int(count) for kind, count in counts.items() if count})


LOOPS: dict[str, Callable[[Any, list[Array], Weights], Executed]] = {
    "conv": _conv,
    "deconv": _deconv,
    "linear": _linear,
    "attention": _attention,
    "windowattention": _windowattention,
    "rbf": _rbf,
    "maxpool": _pool,
    "sumpool": _pool,
    "avgpool": _pool,
    "gap": _gap,
    "adaptivepool": _adaptivepool,
}

_WHY = {
    "elementwise: counted by the reference": (
        "bn scale posembed add mul relu relu6 leaky sigmoid tanh swish gelu hsigmoid hswish"
    ),
    "elementwise but for sums over channels: counted by the reference": "ln lrn softmax",
    "elementwise but for sums over a group: counted by the reference": "groupnorm",
    "moves values: nothing to count": (
        "concat flatten upsample todepth padchannels slice shuffle dropout "
        "tokens classtoken token transpose"
    ),
}
REFUSED: dict[str, str] = {name: reason for reason, names in _WHY.items() for name in names.split()}
