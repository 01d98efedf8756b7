"""Execute every operator fast: results go to a given array, scratch memory is bounded.

A kernel gets the operator, its inputs, its prepared weights, the array to fill (it may be the input
that the operator may overwrite) and a scratch array of the size that `scratch` asks for.
Convolutions go through `convolution`, linear layers through NumPy's matrix product; the plain
definitions in `reference` are the oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from archcalc.compiled import THREADS
from archcalc.execution import reference
from archcalc.execution.axes import lifted, volumes
from archcalc.execution.fast import (
    attention,
    deconvolution,
    deformable,
    direct,
    folding,
    moving,
    recurrent,
    resizing,
)
from archcalc.execution.fast.convolution import Maps, convolve, cut, is_depthwise, pack
from archcalc.execution.fast.finish import ELEMENTWISE, finish_of
from archcalc.execution.fast.workspace import CHUNK, flat
from archcalc.execution.model import Array, Prepared, Weights
from archcalc.execution.reference.joining import aligned
from archcalc.execution.reference.pooling import shares
from archcalc.execution.reference.windows import cells, zeros_around
from archcalc.operators import ATTENTION, RECURRENT

Kernel = Callable[[Any, list[Array], Prepared, Array, Array], None]
FINISHING = ("conv", "linear", "add", *ELEMENTWISE)


def prepare(operator: Any, weights: Weights, channels: int, dtype: Any) -> Prepared:
    """Prepare weights once for the kernels; `channels` are those of the output.

    With a "finish", that of all that the kernel does after its products or sums.
    """
    if operator.name in ATTENTION:
        return attention.prepare(operator, weights)
    prepared: Prepared = dict(weights)
    if operator.name in FINISHING:
        prepared["finish"] = finish_of(operator, weights, channels, np.dtype(dtype))
    if operator.name == "conv":
        weight = np.asarray(weights["weight"], dtype)
        if operator.table is not None:
            weight = _dense(operator, weight)
        inside = prepared["inside"] = weight.shape[-2]
        groups = 1 if is_depthwise(operator, inside * operator.g) else operator.g
        prepared["weight"] = pack(weight, groups)
    return prepared


def _dense(operator: Any, weight: Array) -> Array:
    """Return a connection table's weights with zeros where nothing is connected."""
    channels = 1 + max(max(row) for row in operator.table)
    dense = np.zeros((*operator.k, channels, operator.filters), weight.dtype)
    begin = 0
    for number, links in enumerate(operator.table):
        dense[..., list(links), number] = weight[..., begin : begin + len(links)]
        begin += len(links)
    return dense


def scratch(operator: Any, x: Maps, y: Maps, *others: Maps) -> int:
    """Return the values of scratch memory that a kernel needs for maps of these shapes, images first.

    `others`: what it reads beside x.
    """
    if operator.name in ATTENTION:
        return attention.scratch(operator, x[1:], *(other[1:] for other in others))
    if operator.name in RECURRENT:
        return recurrent.scratch(operator, x)
    if operator.name == "deconv":
        return int(x[-2] * operator.filters // operator.g)
    return THREADS * cut(operator, x, y).scratch if operator.name == "conv" else 0


def _conv(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    packed, inside, finish = (weights[role] for role in ("weight", "inside", "finish"))
    convolve(operator, inputs[0], packed, inside, out, finish, scratch)


def _linear(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    np.matmul(flat(inputs[0]), weights["weight"], out=flat(out))
    direct.finish(weights["finish"], out, out)


def _unembed(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    np.matmul(flat(inputs[0]), weights["weight"].T, out=flat(out))


def _pooling(largest: bool) -> Kernel:
    def run(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
        (x,) = inputs
        before = lifted(zeros_around(operator, x.shape)[0], 0)
        window = lifted(operator.k, 1), lifted(operator.s, 1), lifted(operator.d, 1)
        direct.pool(volumes(x), volumes(out), window, before, largest)

    return run


_summed = _pooling(False)


def _avgpool(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    _summed(operator, inputs, weights, out, scratch)
    np.multiply(out, shares(operator, inputs[0]), out=out)


def _gap(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    (x,) = inputs
    np.add.reduce(x, axis=tuple(range(1, x.ndim - 1)), out=out[:, 0, 0])
    np.multiply(out, out.dtype.type(1 / prod(x.shape[1:-1])), out=out)


def _adaptivepool(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    (x,), fold = inputs, np.maximum if operator.max else np.add
    for place, at in cells(operator, x.shape):
        cell = x[:, *at]
        fold.reduce(cell, axis=tuple(range(1, x.ndim - 1)), out=out[:, *place])
        if not operator.max:
            out[:, *place] *= out.dtype.type(1 / prod(cell.shape[1:-1]))


def _elementwise(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    direct.finish(weights["finish"], inputs[0], out)


def _same(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    if not np.may_share_memory(inputs[0], out):
        out[...] = inputs[0]


def _in_chunks(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Run the definition on so few positions at a time that its temporaries stay small."""
    x, y = flat(inputs[0]), flat(out)
    step = max(1, CHUNK // x.shape[1])
    for i in range(0, len(x), step):
        y[i : i + step] = reference.run(operator, [x[i : i + step]], weights)


def _groupnorm(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Normalize in place; squares are summed over so few positions at a time that they stay small."""
    x = inputs[0]
    groups = getattr(operator, "groups", x.shape[-1])
    shape = len(x), -1, groups, x.shape[-1] // groups
    y = out.reshape(shape)
    size = y.shape[1] * y.shape[3]
    np.subtract(x.reshape(shape), x.reshape(shape).mean(axis=(1, 3), keepdims=True), out=y)
    squares = np.zeros((len(x), 1, groups, 1), x.dtype)
    step = max(1, CHUNK // x.shape[-1])
    for i in range(0, y.shape[1], step):
        squares += np.add.reduce(np.square(y[:, i : i + step]), axis=(1, 3), keepdims=True)
    y *= 1 / np.sqrt(squares / size + x.dtype.type(operator.eps))
    if not operator.noscale:
        out *= weights["scale"]
    if not operator.noshift:
        out += weights["shift"]


def _join(combine: np.ufunc) -> Kernel:
    def run(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
        first, *others = aligned(operator, inputs)
        if any(np.may_share_memory(x, out) for x in others[1:]):
            others.sort(key=lambda x: not np.may_share_memory(x, out))
        for x in others:
            combine(first, x, out=out)
            first = out

    return run


def _add(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    parts = aligned(operator, inputs)
    if len(parts) == 2 and all(x.flags.c_contiguous and x.shape == out.shape for x in parts):
        direct.add(weights["finish"], parts[0], parts[1], out)
    else:
        _SUM(operator, inputs, weights, out, scratch)
        direct.finish(weights["finish"], out, out)


_SUM = _join(np.add)
KERNELS: dict[str, Kernel] = {
    "conv": _conv,
    "deconv": deconvolution.deconv,
    "deformconv": deformable.deformconv,
    "linear": _linear,
    "rbf": moving.moved,
    "matmul": folding.matmul,
    **dict.fromkeys(("mean", "sum", "max"), folding.reduce),
    "maxpool": _pooling(True),
    "sumpool": _summed,
    "avgpool": _avgpool,
    "gap": _gap,
    "adaptivepool": _adaptivepool,
    "bn": _elementwise,
    "ln": _in_chunks,
    "groupnorm": _groupnorm,
    "instancenorm": _groupnorm,
    "rmsnorm": _in_chunks,
    "lrn": _in_chunks,
    "scale": _elementwise,
    "offset": moving.stored(np.add),
    "factor": moving.stored(np.multiply),
    "relu": _elementwise,
    "relu6": _elementwise,
    "clip": _elementwise,
    "hardtanh": _elementwise,
    "dropout": _elementwise,
    "droppath": _elementwise,
    "flatten": _same,
    "tokens": _same,
    "classtoken": moving.classtoken,
    "posembed": moving.posembed,
    "token": moving.moved,
    "transpose": moving.moved,
    "attention": attention.attention,
    "windowattention": attention.windowattention,
    **dict.fromkeys(RECURRENT, recurrent.recurrent),
    "embedding": moving.embedding,
    "unembed": _unembed,
    "sinusoid": moving.sinusoid,
    "add": _add,
    "sub": _join(np.subtract),
    "mul": _join(np.multiply),
    "maximum": _join(np.maximum),
    "concat": moving.concat,
    "upsample": resizing.upsample,
    "resize": resizing.resample,
    "pad": moving.pad,
    "crop": moving.moved,
    "todepth": moving.todepth,
    "pixelshuffle": moving.pixelshuffle,
    "pixelunshuffle": moving.pixelunshuffle,
    "padchannels": moving.padchannels,
    "slice": moving.moved,
    "shuffle": moving.moved,
    "roll": moving.roll,
    "permute": moving.moved,
    "reshape": _same,
    **dict.fromkeys(
        (
            *("leaky", "prelu", "elu", "selu", "sigmoid", "tanh", "softplus", "swish", "mish", "gelu"),
            *("hsigmoid", "hswish", "softmax", "logsoftmax", "glu", "swiglu"),
        ),
        _in_chunks,
    ),
}
