"""Execute windows, products and attention by their loop nests, at full size, every step counted.

The nests in `kernels` take plain arrays; this module maps the operators' arguments to them. Nothing
here asks an operator for its shapes or its work. The data must be finite: a count that is too low may
come from ∞·0. Padding of NaN instead of zeros excludes the padding from the counts: `useful`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import spread
from archcalc.execution.axes import Triple, lifted, volumes
from archcalc.execution.counted import kernels, places, products, recurrent, sampling
from archcalc.execution.counted.products import Executed, biased, executed, plain, vector
from archcalc.execution.reference.windows import PLACES

Array: TypeAlias = Any  # an ndarray of float32
Weights: TypeAlias = dict[str, Array]
Pair: TypeAlias = tuple[int, int]


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
    (x,), groups = inputs, int(operator.g)
    sizes = places.outputs(operator, x)
    w = _kernel(weights["weight"], len(sizes))
    x = plain(volumes(places.padded(operator, np.asarray(x, np.float32), padding)))
    y = np.empty((len(x), *lifted(sizes, 1), int(operator.filters)), np.float32)
    steps, rows = (lifted(operator.s, 1), lifted(operator.d, 1)), y.shape[0] * y.shape[1] * y.shape[2]
    counts: tuple[int, ...]
    if operator.table is not None:
        counts = _by_table(operator.table, x, w, y, steps)
    elif groups == x.shape[-1] == y.shape[-1] > 1:
        counts = spread(kernels.depthwise_rows, rows, x, w[..., 0, :], y, *steps)
    else:
        x, w, outputs = _grouped(x, groups), _grouped(w, groups), y.reshape(*y.shape[:-1], groups, -1)
        counts = spread(kernels.conv_rows, rows, x, w, outputs, *steps)
    return biased(operator, y.reshape(len(x), *sizes, -1), weights, counts)


def _by_table(table: Any, x: Array, w: Array, y: Array, steps: tuple[Triple, Triple]) -> Pair:
    """Execute each filter as a convolution of the channels linked to it."""
    products, additions, begin = 0, 0, 0
    rows = y.shape[0] * y.shape[1] * y.shape[2]
    for number, links in enumerate(table):
        own = w[..., begin : begin + len(links), None, None]
        part = np.empty((*y.shape[:-1], 1, 1), np.float32)
        linked = plain(x[..., None, list(links)])
        done = spread(kernels.conv_rows, rows, linked, plain(own), part, *steps)
        y[..., number] = part[..., 0, 0]
        products, additions, begin = products + done[0], additions + done[1], begin + len(links)
    return products, additions


def _deconv(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Compute the whole output, then crop the padding."""
    (x,), groups = inputs, int(operator.g)
    s, d = lifted(operator.s, 1), lifted(operator.d, 1)
    taken = zip(x.shape[1:-1], weights["weight"].shape, operator.s, operator.d, strict=False)
    last = (int(step) * (n - 1) + int(apart) * (k - 1) for n, k, step, apart in taken)
    sizes = [1 + end + int(more) for end, more in zip(last, operator.out, strict=True)]
    w = _grouped(_kernel(weights["weight"], len(sizes)), groups)
    y = np.zeros((len(x), *lifted(sizes, 1), groups, w.shape[-1]), np.float32)
    rows = y.shape[0] * y.shape[1] * y.shape[2]
    counts = spread(kernels.deconv_rows, rows, _grouped(volumes(plain(x)), groups), w, y, s, d)
    y = y.reshape(len(x), *sizes, -1)
    y = y[:, *(slice(int(p), n - int(q)) for (p, q), n in zip(operator.p, sizes, strict=True))]
    return biased(operator, np.ascontiguousarray(y), weights, counts)


def _deformconv(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Set what the windows read side by side, and convolve that."""
    x, counts = sampling.windows(operator, inputs)
    none = {"p": ((0, 0),) * 2, "d": (1, 1), "half": False, "table": None}
    apart = SimpleNamespace(**{**vars(operator), **none, "s": operator.k, "same": False, "ceil": False})
    done = _conv(apart, [x], weights)
    counts.update(done.counts)
    return executed(done.output, **counts)


def _rbf(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x, w = vector(inputs[0]), plain(weights["fixed"])
    y = np.zeros((*x.shape[:-1], w.shape[1]), np.float32)
    flat = plain(x).reshape(-1, w.shape[0])
    squares, additions = spread(kernels.rbf_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return executed(y, multiplies=squares, additions=additions)


def _pool(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), largest = inputs, operator.name == "maxpool"
    sizes, empty = places.outputs(operator, x), -np.inf if largest else 0.0
    padded = places.padded(operator, np.asarray(x, np.float32), empty)
    y = np.empty((len(x), *sizes, x.shape[-1]), np.float32)
    steps = _fold(padded, y, operator, largest)
    counts = {"comparisons" if largest else "additions": steps}
    if operator.name == "avgpool":
        factors = np.tile(places.shares(operator, x), len(x))
        counts["multiplies"] = kernels.scale(y.reshape(-1, x.shape[-1]), factors)
    return executed(y, **counts)


def _fold(x: Array, y: Array, window: Any, largest: bool) -> int:
    """Combine the windows of `x` in `y`; return the number of steps."""
    sizes = (lifted(part, 1) for part in (window.k, window.s, window.d))
    target = volumes(y)
    rows = target.shape[0] * target.shape[1] * target.shape[2]
    (steps,) = spread(kernels.pool_rows, rows, plain(volumes(x)), target, *sizes, largest)
    return int(steps)


def _whole(x: Array, largest: bool) -> tuple[Array, int]:
    """Combine all positions: images × channels."""
    y = np.empty((len(x), *[1] * (x.ndim - 2), x.shape[-1]), np.float32)
    one = (1,) * (x.ndim - 2)
    steps = _fold(x, y, SimpleNamespace(k=x.shape[1:-1], s=one, d=one), largest)
    return y.reshape(len(x), -1), steps


def _gap(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = plain(inputs[0])
    y, additions = _whole(x, False)
    multiplies = kernels.scale(y, np.full(len(x), 1 / prod(x.shape[1:-1]), np.float32))
    return executed(y.reshape(len(x), 1, 1, -1), multiplies=multiplies, additions=additions)


def _adaptivepool(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """A cell reaches from the pixel in which its share of the axis begins to that in which it ends."""
    x = plain(inputs[0])
    y: Array = np.empty((len(x), *map(int, operator.size), x.shape[-1]), np.float32)
    steps = multiplies = 0
    for place in product(*map(range, y.shape[1:-1])):
        sides = zip(place, x.shape[1:-1], y.shape[1:-1], strict=True)
        cell = x[
            :, *(slice(floor(Fraction(i * n, m)), ceil(Fraction((i + 1) * n, m))) for i, n, m in sides)
        ]
        found, folded = _whole(cell, operator.max)
        steps += folded
        if not operator.max:
            share = np.full(len(x), 1 / prod(cell.shape[1:-1]), np.float32)
            multiplies += kernels.scale(found, share)
        y[:, *place] = found
    counts = {"comparisons": steps} if operator.max else {"additions": steps, "multiplies": multiplies}
    return executed(y, **counts)


def _reduce(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """The axis stands first, what stays behind it: a window over all of it."""
    (x,), whole = inputs, operator.axis == "positions"
    place = PLACES.get(operator.axis, -1)
    rows = x.reshape(len(x), -1, x.shape[-1]) if whole else np.moveaxis(x, place, 1)
    y, steps = _whole(rows.reshape(*rows.shape[:2], -1), operator.name == "max")
    counts = {"comparisons" if operator.name == "max" else "additions": steps}
    if operator.name == "mean":
        counts["multiplies"] = kernels.scale(y, np.full(len(y), 1 / rows.shape[1], np.float32))
    sizes = [len(x), *[1] * (x.ndim - 2), x.shape[-1]] if whole else list(x.shape)
    sizes[place] = sizes[place] if whole else 1
    return executed(y.reshape(sizes), **counts)


def _kernel(weight: Array, axes: int) -> Array:
    """Return the kernel along three axes."""
    return plain(weight.reshape(*lifted(weight.shape[:axes], 1), *weight.shape[axes:]))


def _grouped(array: Array, groups: int) -> Array:
    return plain(array).reshape(*array.shape[:-1], groups, -1)


LOOPS: dict[str, Callable[[Any, list[Array], Weights], Executed]] = {
    "conv": _conv,
    "deconv": _deconv,
    "deformconv": _deformconv,
    "linear": products.linear,
    "attention": products.attention,
    "windowattention": products.windowattention,
    "unembed": products.unembed,
    **dict.fromkeys(("rnn", "gru", "lstm"), recurrent.recurrent),
    "matmul": products.matmul,
    "mean": _reduce,
    "sum": _reduce,
    "max": _reduce,
    "rbf": _rbf,
    "maxpool": _pool,
    "sumpool": _pool,
    "avgpool": _pool,
    "gap": _gap,
    "adaptivepool": _adaptivepool,
}

_WHY = {
    "value by value: counted by the reference": "add sub mul maximum",
    "elementwise: counted by the reference": (
        "bn scale offset factor posembed sinusoid relu relu6 clip hardtanh leaky prelu elu selu "
        "sigmoid tanh "
        "softplus swish mish gelu hsigmoid hswish glu swiglu"
    ),
    "elementwise but for sums over channels: counted by the reference": (
        "ln rmsnorm lrn softmax logsoftmax"
    ),
    "elementwise but for sums over a group: counted by the reference": "groupnorm instancenorm",
    "sums of a few neighbors, or copies: counted by the reference": "upsample resize",
    "moves values: nothing to count": (
        "concat flatten pad crop todepth pixelshuffle pixelunshuffle padchannels "
        "slice shuffle roll permute reshape dropout droppath "
        "tokens classtoken token transpose embedding"
    ),
}
REFUSED: dict[str, str] = {name: reason for reason, names in _WHY.items() for name in names.split()}
