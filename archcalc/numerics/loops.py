"""Windows and products as plain loop nests, executed at full size, every step of them counted.

A closed form says how often the innermost statement runs. Here it runs, and a counter beside it says
how often. `count += 1` would prove nothing: the compiler replaces the loop by its closed form and
"counts" 120 million in a microsecond. So each count depends on the number that its step has computed:
`product = x * w; products += product == product`. A product may be NaN, which is not equal to itself,
so nobody who keeps to IEEE 754 knows the count without the product; `compiled` owns the options and
never allows anything else (fastmath). tests/numerics/test_loops.py makes sure twice: in the optimized
code of each kernel every float operation stands beside a comparison of its result, and NaN in the data
lowers every count by exactly the steps that it reaches.

For the same reason the data must be finite: a count that is too low may be ∞·0. And padding of NaN
instead of zeros leaves the padding out: `useful`.

Nothing here asks an operator for its shapes or its work. Innermost loops run over channels, which lie
side by side, so that the compiler vectorizes them with their counters: 32 bits in there, as wide as
the floats, 64 outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from archcalc.numerics.compiled import compiled, spread
from archcalc.numerics.reference import pad, zeros_around

Array: TypeAlias = Any  # an ndarray of float32
Weights: TypeAlias = dict[str, Array]
Pair: TypeAlias = tuple[int, int]

ZERO: Any = np.int32(0)


class Executed(NamedTuple):
    """What the loops computed, and how many steps of each kind they took for it, over all images.

    `products` are those of a weight and an input value; `multiplies` include them.
    """

    output: Array  # images × height × width × channels
    counts: dict[str, int]


def run(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """The operator by its loop nest, in float32, on all cores.

    Raises:
        KeyError: it has none; `REFUSED` says why.
    """
    return LOOPS[operator.name](operator, inputs, weights)


def useful(operator: Any, inputs: list[Array], weights: Weights) -> int:
    """How many products of a convolution are with real pixels: those with padding of NaN are not equal
    to themselves.
    """
    return _conv(operator, inputs, weights, padding=float("nan")).counts.get("products", 0)


# The steps: the innermost loop, over channels. The first product of a sum is stored, not added; that is
# a function of its own because a flag inside leaves reference counting in the nests, at 5 × the time.


@compiled
def _store(value: Any, w: Array, y: Array) -> Any:
    """y = value · w; how many products."""
    products = ZERO
    for o in range(y.size):
        product = value * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def _add(value: Any, w: Array, y: Array) -> Any:
    """y += value · w; how many products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = value * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def _store_each(x: Array, w: Array, y: Array) -> Any:
    """y = x · w, channel by channel; how many products."""
    products = ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def _add_each(x: Array, w: Array, y: Array) -> Any:
    """y += x · w, channel by channel; how many products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def _add_squares(value: Any, w: Array, y: Array) -> Any:
    """y += (value − w)²; how many squares, and additions, of which each takes two."""
    squares, additions = ZERO, ZERO
    for o in range(y.size):
        difference = value - w[o]
        square = difference * difference
        total = y[o] + square
        y[o] = total
        squares = np.int32(squares + (square == square))
        additions = np.int32(additions + (difference == difference) + (total == total))
    return squares, additions


@compiled
def _copy(x: Array, y: Array) -> None:
    """y = x: no step."""
    for c in range(y.size):
        y[c] = x[c]


@compiled
def _enlarge(x: Array, y: Array) -> Any:
    """y = the larger of both; how many comparisons."""
    comparisons = ZERO
    for c in range(y.size):
        larger = x[c] if x[c] > y[c] else y[c]
        y[c] = larger
        comparisons = np.int32(comparisons + (larger == larger))
    return comparisons


@compiled
def _increase(x: Array, y: Array) -> Any:
    """y += x; how many additions."""
    additions = ZERO
    for c in range(y.size):
        total = y[c] + x[c]
        y[c] = total
        additions = np.int32(additions + (total == total))
    return additions


# The nests: each does a share of the rows or units, so that threads need no common counter.


@compiled
def _conv_rows(x: Array, w: Array, y: Array, s: Pair, d: Pair, begin: int, end: int) -> Pair:
    """x: images × height × width × groups × channels; w: kernel × channels × groups × filters."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for g in range(w.shape[3]):
            for u in range(w.shape[0]):
                for v in range(w.shape[1]):
                    for c in range(w.shape[2]):
                        for j in range(y.shape[1]):
                            value = x[image, top + u * d[0], j * s[1] + v * d[1], g, c]
                            weights, outputs = w[u, v, c, g], y[row, j, g]
                            if u == v == c == 0:
                                products += _store(value, weights, outputs)
                            else:
                                done = _add(value, weights, outputs)
                                products += done[0]
                                additions += done[1]
    return products, additions


@compiled
def _depthwise_rows(x: Array, w: Array, y: Array, s: Pair, d: Pair, begin: int, end: int) -> Pair:
    """x: images × height × width × channels; w: kernel × channels."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for u in range(w.shape[0]):
            for v in range(w.shape[1]):
                for j in range(y.shape[1]):
                    values = x[image, top + u * d[0], j * s[1] + v * d[1]]
                    weights, outputs = w[u, v], y[row, j]
                    if u == v == 0:
                        products += _store_each(values, weights, outputs)
                    else:
                        done = _add_each(values, weights, outputs)
                        products += done[0]
                        additions += done[1]
    return products, additions


@compiled
def _deconv_rows(x: Array, w: Array, y: Array, s: Pair, begin: int, end: int) -> Pair:
    """As `_conv_rows`, but a value is spread over a window of y, of which each row takes its part."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, bottom = row // height, row % height
        for g in range(w.shape[3]):
            touched = np.zeros(y.shape[1], np.bool_)
            for u in range(w.shape[0]):
                i = (bottom - u) // s[0]
                if i < 0 or i >= x.shape[1] or i * s[0] + u != bottom:
                    continue
                for v in range(w.shape[1]):
                    for c in range(w.shape[2]):
                        for j in range(x.shape[2]):
                            at = j * s[1] + v
                            value = x[image, i, j, g, c]
                            weights, outputs = w[u, v, c, g], y[row, at, g]
                            if not touched[at]:
                                products += _store(value, weights, outputs)
                                touched[at] = True
                            else:
                                done = _add(value, weights, outputs)
                                products += done[0]
                                additions += done[1]
    return products, additions


@compiled
def _linear_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """x: tokens × channels; w: channels × units."""
    products, additions = 0, 0
    for token in range(x.shape[0]):
        for c in range(x.shape[1]):
            weights, outputs = w[c, begin:end], y[token, begin:end]
            if c == 0:
                products += _store(x[token, c], weights, outputs)
            else:
                done = _add(x[token, c], weights, outputs)
                products += done[0]
                additions += done[1]
    return products, additions


@compiled
def _rbf_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """x: images × channels; w: channels × units. Summing begins at 0."""
    squares, additions = 0, 0
    for image in range(x.shape[0]):
        for c in range(x.shape[1]):
            done = _add_squares(x[image, c], w[c, begin:end], y[image, begin:end])
            squares += done[0]
            additions += done[1]
    return squares, additions


@compiled
def _pool_rows(x: Array, y: Array, k: Pair, s: Pair, largest: bool, begin: int, end: int) -> tuple[int]:
    """x: images × height × width × channels."""
    steps = 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for u in range(k[0]):
            for v in range(k[1]):
                for j in range(y.shape[1]):
                    tap, outputs = x[image, top + u, j * s[1] + v], y[row, j]
                    if u == v == 0:
                        _copy(tap, outputs)
                    elif largest:
                        steps += _enlarge(tap, outputs)
                    else:
                        steps += _increase(tap, outputs)
    return (steps,)


@compiled
def _bias(y: Array, bias: Array) -> int:
    """Additions of a bias to every position."""
    additions = 0
    for position in range(y.shape[0]):
        for o in range(y.shape[1]):
            total = y[position, o] + bias[o]
            y[position, o] = total
            additions += total == total
    return additions


@compiled
def _scale(y: Array, factor: Any) -> int:
    """Multiplies of every value by one factor."""
    multiplies = 0
    for i in range(y.size):
        product = y[i] * factor
        y[i] = product
        multiplies += product == product
    return multiplies


# The operators: their arguments and arrays as the nests take them.


def _conv(operator: Any, inputs: list[Array], weights: Weights, padding: float = 0.0) -> Executed:
    (x,), w, groups = inputs, _plain(weights["weight"]), int(operator.g)
    x = _plain(pad(np.asarray(x, np.float32), *zeros_around(operator, x), value=padding))
    y, steps = _windows(x, operator, int(operator.filters)), (_ints(operator.s), _ints(operator.d))
    counts: tuple[int, ...]
    if operator.table is not None:
        counts = _by_table(operator.table, x, w, y, steps)
    elif groups == x.shape[-1] == y.shape[-1] > 1:
        counts = spread(_depthwise_rows, len(y), x, w[:, :, 0], y, *steps)
    else:
        x, w, outputs = _grouped(x, groups), _grouped(w, groups), y.reshape(*y.shape[:2], groups, -1)
        counts = spread(_conv_rows, len(y), x, w, outputs, *steps)
    return _biased(operator, y.reshape(len(x), -1, *y.shape[1:]), weights, counts)


def _by_table(table: Any, x: Array, w: Array, y: Array, steps: tuple[Pair, Pair]) -> Pair:
    """Each filter as a convolution of the channels that it is linked to."""
    products, additions, begin = 0, 0, 0
    for number, links in enumerate(table):
        own = w[..., begin : begin + len(links), None, None]
        part = np.empty((*y.shape[:2], 1, 1), np.float32)
        linked = _plain(x[..., None, list(links)])
        done = spread(_conv_rows, len(y), linked, _plain(own), part, *steps)
        y[..., number] = part[..., 0, 0]
        products, additions, begin = products + done[0], additions + done[1], begin + len(links)
    return products, additions


def _deconv(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Over the whole output; then the padding is cropped."""
    groups, s, (down, across) = int(operator.g), _ints(operator.s), _ints(operator.p)
    x, w = _grouped(inputs[0], groups), _grouped(weights["weight"], groups)
    images, height, width = x.shape[:3]
    size = ((height - 1) * s[0] + w.shape[0], (width - 1) * s[1] + w.shape[1])
    y = np.zeros((images * size[0], size[1], groups, w.shape[-1]), np.float32)
    counts = spread(_deconv_rows, y.shape[0], x, w, y, s)
    y = y.reshape(images, *size, -1)[:, down : size[0] - down, across : size[1] - across]
    return _biased(operator, np.ascontiguousarray(y), weights, counts)


def _linear(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), w = inputs, _plain(weights["weight"])
    y = np.empty((*x.shape[:-1], w.shape[1]), np.float32)
    flat = _plain(x).reshape(-1, w.shape[0])
    counts = spread(_linear_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return _biased(operator, y, weights, counts)


def _rbf(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    (x,), w = inputs, _plain(weights["fixed"])
    y = np.zeros((*x.shape[:-1], w.shape[1]), np.float32)
    flat = _plain(x).reshape(-1, w.shape[0])
    squares, additions = spread(_rbf_units, w.shape[1], flat, w, y.reshape(len(flat), -1))
    return _executed(y, multiplies=squares, additions=additions)


def _pool(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """The padding of a mean counts as zeros, as in torch."""
    (x,), largest = inputs, operator.name == "maxpool"
    empty = -np.inf if largest else 0.0
    x = _plain(pad(np.asarray(x, np.float32), *zeros_around(operator, x), value=empty))
    y = _windows(x, operator, x.shape[-1])
    (steps,) = spread(_pool_rows, len(y), x, y, _ints(operator.k), _ints(operator.s), largest)
    counts = {"comparisons" if largest else "additions": steps}
    if operator.name == "avgpool":
        counts["multiplies"] = _scale(y.reshape(-1), np.float32(1 / (operator.k[0] * operator.k[1])))
    return _executed(y.reshape(len(x), -1, *y.shape[1:]), **counts)


def _gap(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    x = _plain(inputs[0])
    y = np.empty((len(x), 1, x.shape[-1]), np.float32)
    (additions,) = spread(_pool_rows, len(x), x, y, x.shape[1:3], (1, 1), False)
    multiplies = _scale(y.reshape(-1), np.float32(1 / (x.shape[1] * x.shape[2])))
    return _executed(y.reshape(len(x), 1, 1, -1), multiplies=multiplies, additions=additions)


def _windows(x: Array, operator: Any, channels: int) -> Array:
    """Room for one output a window of the padded `x`: rows of all images × width × channels."""
    rows, columns = (
        (int(size) - int(d) * (int(k) - 1) - 1) // int(s) + 1
        for size, k, s, d in zip(x.shape[1:3], operator.k, operator.s, operator.d, strict=True)
    )
    return np.empty((len(x) * rows, columns, channels), np.float32)


def _grouped(array: Array, groups: int) -> Array:
    return _plain(array).reshape(*array.shape[:-1], groups, -1)


def _plain(array: Array) -> Array:
    """As the nests take it: contiguous, and read-only whether it was or not, for one compilation."""
    view = np.ascontiguousarray(array, np.float32).view()
    view.flags.writeable = False
    return view


def _ints(pair: tuple[Any, Any]) -> Pair:
    return int(pair[0]), int(pair[1])


def _biased(operator: Any, y: Array, weights: Weights, counts: tuple[int, ...]) -> Executed:
    products, additions = counts
    if not operator.nobias:
        additions += _bias(y.reshape(-1, y.shape[-1]), _plain(weights["bias"]))
    return _executed(y, products=products, multiplies=products, additions=additions)


def _executed(y: Array, **counts: int) -> Executed:
    return Executed(y, {kind: int(count) for kind, count in counts.items() if count})


LOOPS: dict[str, Callable[[Any, list[Array], Weights], Executed]] = {
    "conv": _conv,
    "deconv": _deconv,
    "linear": _linear,
    "rbf": _rbf,
    "maxpool": _pool,
    "sumpool": _pool,
    "avgpool": _pool,
    "gap": _gap,
}

_WHY = {
    "elementwise: counted by the reference": (
        "bn scale posembed add mul relu relu6 leaky sigmoid tanh swish gelu hsigmoid hswish"
    ),
    "elementwise but for sums over channels: counted by the reference": "ln lrn softmax",
    "products of its inputs with each other: counted by the reference": "attention windowattention",
    "moves values: nothing to count": (
        "concat flatten upsample todepth padchannels slice shuffle dropout "
        "tokens classtoken token transpose"
    ),
}
REFUSED: dict[str, str] = {name: reason for reason, names in _WHY.items() for name in names.split()}
