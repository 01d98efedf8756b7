"""Every operator in plain NumPy, as its definition says: slow, short, and the oracle of anything faster.

Arrays are images × height × width × channels. A function gets the operator, its inputs and its weights
by role, and returns a new array; it is written from the definition and asks no rule of the operator for
shapes or counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from archcalc.execution import attention
from archcalc.execution.activations import ACTIVATIONS
from archcalc.execution.activations import Array as Array

Weights: TypeAlias = dict[str, Array]
Run = Callable[[Any, list[Array], Weights], Array]

LRN_ALPHA, LRN_BETA, LRN_BIAS = 1e-4, 0.75, 2.0  # Krizhevsky et al. 2012


def run(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """The operator's output."""
    return REFERENCE[operator.name](operator, inputs, weights)


def pad(x: Array, before: tuple[int, int], after: tuple[int, int], value: float = 0.0) -> Array:
    """Rows and columns of `value` around the maps."""
    if not any((*before, *after)):
        return x
    images, height, width, channels = x.shape
    shape = (images, height + before[0] + after[0], width + before[1] + after[1], channels)
    padded = np.full_like(x, value, shape=shape)
    padded[:, before[0] : before[0] + height, before[1] : before[1] + width] = x
    return padded


def zeros_around(operator: Any, x: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of padding before and after, by the operator's arguments and the shape of x.

    Padding of half the kernel; TensorFlow's SAME; or p on both sides. Rounding up may need more behind.
    """
    before, after = [], []
    for axis in (0, 1):
        size, stride = x[1 + axis], operator.s[axis]
        span = operator.d[axis] * (operator.k[axis] - 1) + 1
        if operator.same:
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
            continue
        amount = (span - 1) // 2 if operator.half else operator.p[axis]
        before.append(amount)
        more = 0
        if operator.ceil and (size + 2 * amount - span) % stride:
            start = -(-(size + 2 * amount - span) // stride) * stride - amount
            more = start + span - size - amount if start < size else 0
        after.append(amount + max(more, 0))
    return (before[0], before[1]), (after[0], after[1])


def windows(x: Array, k: tuple[int, int], s: tuple[int, int], d: tuple[int, int]) -> Array:
    """images × out height × out width × kernel height × kernel width × channels, without a copy."""
    images, height, width, channels = x.shape
    rows = (height - d[0] * (k[0] - 1) - 1) // s[0] + 1
    columns = (width - d[1] * (k[1] - 1) - 1) // s[1] + 1
    a, b, c, e = x.strides
    shape = (images, rows, columns, k[0], k[1], channels)
    strides = (a, b * s[0], c * s[1], b * d[0], c * d[1], e)
    return np.lib.stride_tricks.as_strided(x, shape, strides, subok=True, writeable=False)


def _conv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    patches = windows(pad(x, *zeros_around(operator, x.shape)), operator.k, operator.s, operator.d)
    if operator.table is not None:
        y = _conv_by_table(operator, patches, weights["weight"])
    else:
        y = _conv_by_groups(operator, patches, weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def _conv_by_groups(operator: Any, patches: Array, weight: Array) -> Array:
    images, rows, columns, *_, channels = patches.shape
    inside, outside = channels // operator.g, operator.filters // operator.g
    y = np.empty_like(patches, shape=(images * rows * columns, operator.filters))
    for group in range(operator.g):
        mine = patches[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        y[:, own] = np.matmul(mine.reshape(len(y), -1), weight[..., own].reshape(-1, outside))
    return y.reshape(images, rows, columns, -1)


def _conv_by_table(operator: Any, patches: Array, weight: Array) -> Array:
    images, rows, columns = patches.shape[:3]
    y = np.empty_like(patches, shape=(images * rows * columns, operator.filters))
    begin = 0
    for number, links in enumerate(operator.table):
        mine = patches[..., list(links)].reshape(len(y), -1)
        y[:, number] = np.matmul(mine, weight[..., begin : begin + len(links)].reshape(-1))
        begin += len(links)
    return y.reshape(images, rows, columns, -1)


def _deconv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Every input value times the kernel, added where it falls; then the padding is cropped."""
    (x,) = inputs
    images, height, width, channels = x.shape
    (kh, kw), (sh, sw), (ph, pw) = operator.k, operator.s, operator.p
    inside, outside = channels // operator.g, operator.filters // operator.g
    size = ((height - 1) * sh + kh, (width - 1) * sw + kw)
    full = np.zeros_like(x, shape=(images, *size, operator.filters))
    for group in range(operator.g):
        mine = x[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        touched = np.zeros(size, bool)
        for u in range(kh):
            for v in range(kw):
                at = (slice(u, u + sh * (height - 1) + 1, sh), slice(v, v + sw * (width - 1) + 1, sw))
                spread = np.matmul(mine, weights["weight"][u, v, :, own])
                target, again = full[:, *at, own], touched[at]
                target[:, again] = target[:, again] + spread[:, again]
                target[:, ~again] = spread[:, ~again]  # the first to come is no addition
                touched[at] = True
    y = full[:, ph : full.shape[1] - ph, pw : full.shape[2] - pw]
    return y if operator.nobias else y + weights["bias"]


def _linear(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    y = np.matmul(inputs[0], weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def _rbf(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """The sum of squared differences to each unit's pattern; summing adds to 0, one step a link."""
    difference = inputs[0][..., :, None] - weights["fixed"]
    square = np.square(difference)
    total = np.zeros_like(square[..., 0, :])
    for link in range(square.shape[-2]):
        total = total + square[..., link, :]
    return total


def _pool(combine: np.ufunc, empty: float) -> Callable[[Any, Array], Array]:
    """The windows of every output combined, first to last."""

    def pool(operator: Any, x: Array) -> Array:
        taps = windows(
            pad(x, *zeros_around(operator, x.shape), value=empty), operator.k, operator.s, (1, 1)
        )
        result: Array | None = None
        for u in range(operator.k[0]):
            for v in range(operator.k[1]):
                tap = taps[:, :, :, u, v]
                result = tap if result is None else combine(result, tap)
        assert result is not None
        return result

    return pool


_largest, _sum = _pool(np.maximum, -np.inf), _pool(np.add, 0.0)


def _avgpool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return _sum(operator, inputs[0]) * shares(operator, inputs[0])


def shares(operator: Any, x: Array) -> Array:
    """1 / the values of each window of a mean: out height × out width × 1.

    The padding counts if the operator says so; what rounding up lets a window reach beyond it does
    not, as in torch and Caffe.
    """
    before, after = zeros_around(operator, x.shape)
    ends = after if operator.same else before
    value = 1.0 if operator.zeros or not (operator.nozeros or operator.same) else 0.0
    inside = pad(np.ones((1, *x.shape[1:3], 1), x.dtype), before, ends, value)
    beyond = (after[0] - ends[0], after[1] - ends[1])
    taps = windows(pad(inside, (0, 0), beyond), operator.k, operator.s, (1, 1))
    return 1 / taps[0].sum((2, 3))


def _gap(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    summed = np.add.reduce(x, axis=(1, 2), keepdims=True)
    return summed * x.dtype.type(1 / (x.shape[1] * x.shape[2]))


def cells(operator: Any, x: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], tuple[slice, slice]]]:
    """Row and column of each output of an adaptive pool, and the rows and columns of x in its cell."""
    sides = [
        [slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x[1:3], operator.size, strict=True)
    ]
    for i, rows in enumerate(sides[0]):
        for j, columns in enumerate(sides[1]):
            yield (i, j), (rows, columns)


def _adaptivepool(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    y = np.empty_like(x, shape=(len(x), *operator.size, x.shape[3]))
    for (i, j), at in cells(operator, x.shape):
        cell = x[:, at[0], at[1]]
        if operator.max:
            y[:, i, j] = np.maximum.reduce(cell, axis=(1, 2))
        else:
            share = x.dtype.type(1 / (cell.shape[1] * cell.shape[2]))
            y[:, i, j] = np.add.reduce(cell, axis=(1, 2)) * share
    return y


def fold_bn(operator: Any, weights: Weights) -> tuple[Array, Array]:
    """Factor and term of a batch norm at inference: y = x·factor + term."""
    factor = 1 / np.sqrt(weights["variance"] + operator.eps)
    if not operator.noscale:
        factor = factor * weights["scale"]
    return factor, weights["shift"] - weights["mean"] * factor


def _bn(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    factor, term = fold_bn(operator, weights)
    return inputs[0] * factor + term


def _ln(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Over the channels of each position."""
    (x,) = inputs
    share = x.dtype.type(1 / x.shape[-1])
    centered = x - np.add.reduce(x, axis=-1, keepdims=True) * share
    variance = np.add.reduce(np.square(centered), axis=-1, keepdims=True) * share
    deviation = np.sqrt(variance + x.dtype.type(operator.eps))
    return centered * (1 / deviation) * weights["scale"] + weights["shift"]


def _scale(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    y = inputs[0] * weights["weight"]
    return y if operator.nobias else y + weights["bias"]


def _lrn(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """x / (k + α·Σ x²)^β over neighboring channels, those beyond the ends counting as zeros."""
    (x,) = inputs
    squares = np.square(x)
    size, channels = operator.size, x.shape[-1]
    padded = np.zeros_like(x, shape=(*x.shape[:-1], channels + size - 1))
    padded[..., size // 2 : size // 2 + channels] = squares
    total = x.dtype.type(LRN_BIAS) + _scaled(padded[..., :channels])
    for shift in range(1, size):
        total = total + _scaled(padded[..., shift : shift + channels])
    return x / np.power(total, x.dtype.type(LRN_BETA))


def _scaled(x: Array) -> Array:
    return x * x.dtype.type(LRN_ALPHA)


def _activation(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return ACTIVATIONS[operator.name](inputs[0])


def aligned(operator: Any, inputs: list[Array]) -> list[Array]:
    """Inputs cut to the height and width of the first, centered, if the join crops."""
    if not operator.crop:
        return inputs
    _, height, width, _ = inputs[0].shape
    cut = []
    for x in inputs:
        top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
        cut.append(x[:, top : top + height, left : left + width])
    return cut


def _join(combine: np.ufunc) -> Run:
    def join(operator: Any, inputs: list[Array], weights: Weights) -> Array:
        first, *others = aligned(operator, inputs)
        for x in others:
            first = combine(first, x)
        return first

    return join


def _concat(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    parts = aligned(operator, inputs)
    y = np.empty_like(parts[0], shape=(*parts[0].shape[:-1], sum(x.shape[-1] for x in parts)))
    begin = 0
    for x in parts:
        y[..., begin : begin + x.shape[-1]] = x
        begin += x.shape[-1]
    return y


def _upsample(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    down, across = operator.factor
    return np.repeat(np.repeat(inputs[0], down, axis=1), across, axis=2)


def _todepth(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Neighbors one below the other come before those beside each other."""
    (x,) = inputs
    images, height, width, channels = x.shape
    down, across = operator.factor
    x = pad(x, (0, 0), (-height % down, -width % across))
    cut = x.reshape(images, x.shape[1] // down, down, -1, across, channels).transpose(0, 1, 3, 4, 2, 5)
    return cut.reshape(*cut.shape[:3], -1)


def _padchannels(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    y = np.zeros_like(x, shape=(*x.shape[:-1], operator.channels))
    y[..., : x.shape[-1]] = x
    return y


def _slice(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0][..., operator.start : operator.start + operator.channels]


def _shuffle(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    dealt = x.reshape(*x.shape[:-1], operator.groups, -1)
    return dealt.swapaxes(-1, -2).reshape(x.shape)


def _flatten(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0].reshape(inputs[0].shape[0], 1, 1, -1)


def _tokens(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0].reshape(inputs[0].shape[0], -1, 1, inputs[0].shape[-1])


def _classtoken(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    (x,) = inputs
    y = np.empty_like(x, shape=(x.shape[0], x.shape[1] + 1, *x.shape[2:]))
    y[:, 0], y[:, 1:] = weights["weight"], x
    return y


def _posembed(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0] + weights["position"][:, None]


def _token(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0][:, operator.index : operator.index + 1]


def _transpose(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return inputs[0].swapaxes(1, 3)


REFERENCE: dict[str, Run] = {
    "conv": _conv,
    "deconv": _deconv,
    "linear": _linear,
    "rbf": _rbf,
    "maxpool": lambda operator, inputs, weights: _largest(operator, inputs[0]),
    "sumpool": lambda operator, inputs, weights: _sum(operator, inputs[0]),
    "avgpool": _avgpool,
    "gap": _gap,
    "adaptivepool": _adaptivepool,
    "bn": _bn,
    "ln": _ln,
    "lrn": _lrn,
    "scale": _scale,
    "add": _join(np.add),
    "mul": _join(np.multiply),
    "concat": _concat,
    "flatten": _flatten,
    "tokens": _tokens,
    "classtoken": _classtoken,
    "posembed": _posembed,
    "token": _token,
    "transpose": _transpose,
    "attention": attention.attention,
    "windowattention": attention.windowattention,
    "upsample": _upsample,
    "todepth": _todepth,
    "padchannels": _padchannels,
    "slice": _slice,
    "shuffle": _shuffle,
    **dict.fromkeys(ACTIVATIONS, _activation),
}
