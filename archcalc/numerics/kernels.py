"""Every operator fast enough to use: results go where they are told, scratch memory is bounded.

A kernel gets the operator, its inputs, its prepared weights, the array to fill (for operators that may
overwrite an input it can be that input) and a scratch array of the size that `scratch` asks for.
Products go through NumPy's matrix product in tiles of about a MiB; the plain definitions in `reference`
are the oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from archcalc.numerics import attention_kernels, reference
from archcalc.numerics.direct import depthwise, pool
from archcalc.numerics.reference import Array, Weights, fold_bn
from archcalc.numerics.tiles import CHUNK, TILE, flat, take
from archcalc.operators import ATTENTION

Kernel = Callable[[Any, list[Array], Weights, Array, Array], None]
Maps = tuple[int, ...]  # height, width, channels


def prepare(operator: Any, weights: Weights) -> Weights:
    """Weights as the kernels want them; made once, before the pass."""
    if operator.name == "bn":
        factor, term = fold_bn(operator, weights)
        return {"factor": factor, "term": term}
    if operator.name in ATTENTION:
        return attention_kernels.prepare(operator, weights)
    if operator.name == "conv" and operator.table is not None:
        return {**weights, "weight": _dense(operator, weights["weight"])}
    grouped = operator.name == "conv" and operator.g > 1
    if grouped and not _is_depthwise(operator, weights["weight"].shape[2] * operator.g):
        return {**weights, "weight": _by_group(operator, weights["weight"])}
    return weights


def _by_group(operator: Any, weight: Array) -> Array:
    """groups × (kernel height · kernel width · channels of a group) × filters of a group."""
    outside = operator.filters // operator.g
    split = weight.reshape(-1, operator.g, outside)
    return np.ascontiguousarray(split.transpose(1, 0, 2))


def _dense(operator: Any, weight: Array) -> Array:
    """A connection table's weights with zeros where nothing is connected."""
    channels = 1 + max(max(row) for row in operator.table)
    dense = np.zeros((*operator.k, channels, operator.filters), weight.dtype)
    begin = 0
    for number, links in enumerate(operator.table):
        dense[:, :, list(links), number] = weight[..., begin : begin + len(links)]
        begin += len(links)
    return dense


def scratch(operator: Any, x: Maps, y: Maps) -> int:
    """Values of scratch memory that the kernel needs for one layer."""
    if operator.name in ATTENTION:
        return attention_kernels.scratch(operator, x)
    if operator.name == "deconv":
        return int(x[1] * operator.filters // operator.g)
    if operator.name != "conv" or _is_depthwise(operator, x[2]) or _is_product(operator):
        return 0
    rows, inside = _tile_rows(operator, x, y), x[2] // operator.g
    patches = rows * y[1] * operator.k[0] * operator.k[1] * inside
    result = rows * y[1] * operator.filters // operator.g if operator.g > 1 else 0
    return int(patches + result + _padded_values(operator, x, y, rows))


def _tile_rows(operator: Any, x: Maps, y: Maps) -> int:
    """Rows of the output whose patches fill a tile; one at least."""
    row = y[1] * operator.k[0] * operator.k[1] * (x[2] // operator.g)
    return int(min(y[0], max(1, TILE // row)))


def _padded_size(operator: Any, y: Maps, rows: int) -> tuple[int, int]:
    """Height and width of the input, padding included, that so many output rows read."""
    height, width = (
        (count - 1) * operator.s[i] + operator.d[i] * (operator.k[i] - 1) + 1
        for i, count in enumerate((rows, y[1]))
    )
    return height, width


def _padded_values(operator: Any, x: Maps, y: Maps, rows: int) -> int:
    height, width = _padded_size(operator, y, rows)
    return int(height * width * x[2])


def _is_product(operator: Any) -> bool:
    """A 1×1 conv of stride 1: the maps as they are, times a matrix."""
    plain = (operator.k, operator.s, operator.p, operator.g) == ((1, 1), (1, 1), (0, 0), 1)
    return plain and operator.table is None


def _is_depthwise(operator: Any, channels: int) -> bool:
    return bool(operator.g == channels > 1 and operator.g == operator.filters)


def _conv(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    (x,) = inputs
    if operator.table is not None:
        x = x[..., : weights["weight"].shape[2]]
    if _is_depthwise(operator, x.shape[3]):
        depthwise(x, weights["weight"], out, operator.s, _before(operator, x), operator.d)
    elif _is_product(operator):
        channels = x.shape[3]
        np.matmul(x.reshape(-1, channels), weights["weight"].reshape(channels, -1), out=flat(out))
    else:
        for image in range(len(x)):
            _conv_in_tiles(operator, x[image], weights["weight"], out[image], scratch)
    if not operator.nobias:
        np.add(out, weights["bias"], out=out)


def _before(operator: Any, x: Array) -> tuple[int, int]:
    return reference.zeros_around(operator, x)[0]


def _conv_in_tiles(operator: Any, x: Array, weight: Array, y: Array, scratch: Array) -> None:
    """A few rows of the output at a time: pad, gather patches, multiply."""
    rows = _tile_rows(operator, x.shape, y.shape)
    _, width = _padded_size(operator, y.shape, rows)
    before = _before(operator, x[None])
    for first in range(0, len(y), rows):
        count = min(rows, len(y) - first)
        height, _ = _padded_size(operator, y.shape, count)
        padded = take(scratch, 0, (height, width, x.shape[2]))
        _pad_rows(x, padded, first * operator.s[0] - before[0], before[1])
        _multiply_tile(operator, padded, weight, y[first : first + count], scratch[padded.size :])


def _pad_rows(x: Array, padded: Array, top: int, left: int) -> None:
    """Rows of `x` from `top` on (which may lie outside), with zeros around, into `padded`."""
    height, width, _ = padded.shape
    low, high = max(top, 0), min(top + height, x.shape[0])
    right = min(width - left, x.shape[1])
    padded[: max(low - top, 0)] = 0
    padded[max(high - top, 0) :] = 0
    inside = padded[low - top : high - top] if high > low else padded[:0]
    inside[:, :left] = 0
    inside[:, left + right :] = 0
    inside[:, left : left + right] = x[low:high, :right]


def _multiply_tile(operator: Any, padded: Array, weight: Array, y: Array, scratch: Array) -> None:
    taps = reference.windows(padded[None], operator.k, operator.s, operator.d)[0]
    rows, columns = y.shape[:2]
    if operator.g == 1:
        patches = take(scratch, 0, (rows, columns, *taps.shape[2:]))
        np.copyto(patches, taps)
        matrix = weight.reshape(-1, operator.filters)
        np.matmul(patches.reshape(rows * columns, -1), matrix, out=flat(y))
        return
    inside, outside = padded.shape[2] // operator.g, operator.filters // operator.g
    patches = take(scratch, 0, (rows, columns, *operator.k, inside))
    result = take(scratch, patches.size, (rows * columns, outside))
    for group in range(operator.g):
        np.copyto(patches, taps[..., group * inside : (group + 1) * inside])
        np.matmul(patches.reshape(rows * columns, -1), weight[group], out=result)
        y[..., group * outside : (group + 1) * outside] = result.reshape(rows, columns, outside)


def _deconv(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    """Each input row times each tap of the kernel, added to the output row where it falls."""
    (x,) = inputs
    out[...] = 0
    inside, outside = x.shape[3] // operator.g, operator.filters // operator.g
    products = take(scratch, 0, (x.shape[2], outside))
    for image in range(len(x)):
        for group in range(operator.g):
            own = slice(group * outside, (group + 1) * outside)
            mine = x[image, :, :, group * inside : (group + 1) * inside]
            for u in range(operator.k[0]):
                for v in range(operator.k[1]):
                    matrix = weights["weight"][u, v, :, own]
                    for row, target in _falls(operator, 0, u, len(mine), out.shape[1]):
                        np.matmul(mine[row], matrix, out=products)
                        _add_row(operator, products, out[image, target, :, own], v)
    if not operator.nobias:
        np.add(out, weights["bias"], out=out)


def _falls(operator: Any, axis: int, tap: int, size: int, limit: int) -> Iterator[tuple[int, int]]:
    """Where the inputs' products with one tap fall, as far as the padding leaves them."""
    for i in range(size):
        target = i * operator.s[axis] + tap - operator.p[axis]
        if 0 <= target < limit:
            yield i, target


def _add_row(operator: Any, products: Array, y: Array, tap: int) -> None:
    stride, start = operator.s[1], tap - operator.p[1]
    first = max(0, -(start // stride))
    last = min(len(products), -(-(len(y) - start) // stride))
    if last > first:
        begin = first * stride + start
        target = y[begin : begin + (last - first - 1) * stride + 1 : stride]
        np.add(target, products[first:last], out=target)


def _linear(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.matmul(flat(inputs[0]), weights["weight"], out=flat(out))
    if not operator.nobias:
        np.add(out, weights["bias"], out=out)


def _pooling(largest: bool) -> Kernel:
    def run(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
        pool(inputs[0], out, operator.k, operator.s, _before(operator, inputs[0]), largest)

    return run


def _avgpool(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    pool(inputs[0], out, operator.k, operator.s, _before(operator, inputs[0]), False)
    np.multiply(out, reference.shares(operator, inputs[0]), out=out)


def _gap(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    (x,) = inputs
    np.add.reduce(x, axis=(1, 2), keepdims=True, out=out)
    np.multiply(out, out.dtype.type(1 / (x.shape[1] * x.shape[2])), out=out)


def _bn(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.multiply(inputs[0], weights["factor"], out=out)
    np.add(out, weights["term"], out=out)


def _scale(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.multiply(inputs[0], weights["weight"], out=out)
    if not operator.nobias:
        np.add(out, weights["bias"], out=out)


def _relu(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.maximum(inputs[0], 0, out=out)


def _relu6(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.maximum(inputs[0], 0, out=out)
    np.minimum(out, 6, out=out)


def _same(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    if not np.may_share_memory(inputs[0], out):
        out[...] = inputs[0]


def _in_chunks(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    """The definition, on so few positions at a time that its temporaries stay small."""
    x, y = flat(inputs[0]), flat(out)
    step = max(1, CHUNK // x.shape[1])
    for i in range(0, len(x), step):
        y[i : i + step] = reference.run(operator, [x[i : i + step]], weights)


def _join(combine: np.ufunc) -> Kernel:
    def run(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
        first, *others = reference.aligned(operator, inputs)
        if any(np.may_share_memory(x, out) for x in others[1:]):
            others.sort(key=lambda x: not np.may_share_memory(x, out))
        for x in others:
            combine(first, x, out=out)
            first = out

    return run


def _concat(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    begin = 0
    for x in reference.aligned(operator, inputs):
        out[..., begin : begin + x.shape[-1]] = x
        begin += x.shape[-1]


def _upsample(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    (x,) = inputs
    images, height, width, channels = x.shape
    down, across = operator.factor
    copies = out.reshape(images, height, down, width, across, channels)
    copies[...] = x[:, :, None, :, None, :]


def _todepth(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    (x,) = inputs
    down, across = operator.factor
    begin, channels = 0, x.shape[-1]
    for column in range(across):
        for row in range(down):
            part, y = x[:, row::down, column::across], out[..., begin : begin + channels]
            y[:, part.shape[1] :] = 0
            y[:, :, part.shape[2] :] = 0
            y[:, : part.shape[1], : part.shape[2]] = part
            begin += channels


def _classtoken(
    operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array
) -> None:
    out[:, 0], out[:, 1:] = weights["weight"], inputs[0]


def _posembed(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    np.add(inputs[0], weights["position"][:, None], out=out)


def _padchannels(
    operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array
) -> None:
    channels = inputs[0].shape[-1]
    out[..., :channels] = inputs[0]
    out[..., channels:] = 0


def _moved(operator: Any, inputs: list[Array], weights: Weights, out: Array, scratch: Array) -> None:
    """What only moves values makes no temporary: its definition is a view."""
    out[...] = reference.run(operator, inputs, weights)


KERNELS: dict[str, Kernel] = {
    "conv": _conv,
    "deconv": _deconv,
    "linear": _linear,
    "rbf": _moved,
    "maxpool": _pooling(True),
    "sumpool": _pooling(False),
    "avgpool": _avgpool,
    "gap": _gap,
    "bn": _bn,
    "ln": _in_chunks,
    "lrn": _in_chunks,
    "scale": _scale,
    "relu": _relu,
    "relu6": _relu6,
    "dropout": _same,
    "flatten": _same,
    "tokens": _same,
    "classtoken": _classtoken,
    "posembed": _posembed,
    "token": _moved,
    "transpose": _moved,
    "attention": attention_kernels.attention,
    "windowattention": attention_kernels.windowattention,
    "add": _join(np.add),
    "mul": _join(np.multiply),
    "concat": _concat,
    "upsample": _upsample,
    "todepth": _todepth,
    "padchannels": _padchannels,
    "slice": _moved,
    "shuffle": _moved,
    **dict.fromkeys(
        ("leaky", "sigmoid", "tanh", "swish", "gelu", "hsigmoid", "hswish", "softmax"), _in_chunks
    ),
}
