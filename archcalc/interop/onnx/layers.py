"""Layers in words of the vocabulary: inputs in its order, attributes under torch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.emit import Emission
from archcalc.interop.onnx.rules.windows import kernel, padding, positive
from archcalc.interop.onnx.values import Value

Translation = Callable[[Emission], object]


def _windows(e: Emission, axes: int) -> dict[str, Any]:
    """Strides and padding; padding that differs before and behind is written in full."""
    pads = padding(e.call, axes)
    even = pads[:axes] == pads[axes:]
    return {
        "stride": tuple(positive(e.call, "strides", axes)),
        "padding": tuple(pads[:axes] if even else pads),
        "dilation": tuple(positive(e.call, "dilations", axes)),
    }


def conv(word: str, x: int = 0, weight: int = 1, bias: int = 2) -> Translation:
    """A convolution whose tensors stand at these places."""

    def translate(e: Emission) -> None:
        filters = e.call.value(weight)
        options = _windows(e, len(filters.shape) - 2)
        inputs = [e.call.value(x), filters, e.call.maybe(bias)]
        e.op(word, [*inputs], e.outputs[:1], groups=e.call.integer("group", 1), **options)

    return translate


def deform_conv(e: Emission) -> None:
    """torchvision's order: x, weight, offset, mask, bias."""
    inputs = [e.call.maybe(i) for i in (0, 1, 2, 4, 3)]
    e.op("deform_conv", inputs, **_windows(e, len(e.call.value(1).shape) - 2))


def fused_conv(e: Emission) -> None:
    """A convolution with its activation."""
    activation = e.call.text("activation")
    between = e.temporary(e.outputs[0].shape, e.outputs[0].dtype)
    word = _ACTIVATIONS.get(activation)
    if word is None:
        raise ArchError(f"its activation {activation} is not known")
    options = _windows(e, len(e.call.value(1).shape) - 2)
    inputs = [e.call.maybe(i) for i in range(3)]
    e.op("conv", inputs, [between], groups=e.call.integer("group", 1), **options)
    e.op(word, [between])


_ACTIVATIONS = {
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Clip": "relu6",
    "HardSigmoid": "hardsigmoid",
}


def pool(word: str) -> Translation:
    def translate(e: Emission) -> None:
        window = kernel(e.call)
        e.op(word, [e.call.first], kernel_size=tuple(window), **_windows(e, len(window)))

    return translate


def matmul(a: int, b: int, bias: int = -1) -> Translation:
    """A product of two tensors; with a stored matrix it is a linear layer."""

    def translate(e: Emission) -> None:
        left, right = e.call.value(a), e.call.value(b)
        added = e.call.maybe(bias) if bias >= 0 else None
        if len(right.shape) == 2 and right.fixed and len(left.shape) > 1:
            e.op("linear", [left, _turned(e, right), added], e.outputs[:1])
        elif added is not None:
            between = e.temporary(e.outputs[0].shape, e.outputs[0].dtype)
            e.op("matmul", [left, right], [between])
            e.op("add", [between, added], e.outputs[:1])
        else:
            e.op("matmul", [left, right], e.outputs[:1])

    return translate


def _turned(e: Emission, matrix: Value) -> Value:
    """A matrix of weights as torch has it, [out, in]: the transpose is folded."""
    turned = e.temporary(matrix.shape[::-1], matrix.dtype, fixed=True)
    e.learns("linear", 1, matrix)
    e.op("permute", [matrix], [turned], dims=(1, 0))
    return turned


def fused_matmul(e: Emission) -> None:
    """Either operand may be transposed."""
    operands: list[Value] = []
    for position, name in enumerate(("transA", "transB")):
        value = e.call.value(position)
        if e.call.integer(name, 0):
            shape = (*value.shape[:-2], value.shape[-1], value.shape[-2])
            turned = e.temporary(shape, value.dtype, value.fixed)
            value = e.op("permute", [value], [turned], dims=(*range(len(shape) - 2), -1, -2))
        operands.append(value)
    e.op("matmul", [*operands])


def gemm(a: int, b: int, c: int) -> Translation:
    """a·b + c; with a stored matrix a linear layer."""

    def translate(e: Emission) -> None:
        left, right, added = e.call.value(a), e.call.value(b), e.call.maybe(c)
        if e.call.integer("transA", 0):
            turned = e.temporary(left.shape[::-1], left.dtype, left.fixed)
            left = e.op("permute", [left], [turned], dims=(1, 0))
        if right.fixed:
            weight = right if e.call.integer("transB", 0) else _turned(e, right)
            e.op("linear", [left, weight, added])
        elif added is None:
            e.op("matmul", [left, right])
        else:
            e.op("addmm", [added, left, right])

    return translate


def recurrent(e: Emission) -> None:
    """x and the weights of both directions; states that come from elsewhere are passed along."""
    directions, hidden = e.call.ranked(1, 3)[0], e.call.ranked(2, 3)[-1]
    x = e.call.first
    states = [
        v
        for v in (e.call.maybe(5), e.call.maybe(6) if e.call.op == "LSTM" else None)
        if v and not v.fixed
    ]
    if states:
        x = e.op("copy", [x, *states], [e.temporary(x.shape, x.dtype)])
    word = {"LSTM": "lstm", "GRU": "gru"}.get(e.call.op, "rnn_tanh")
    chosen = e.call.attributes.get("activations")
    if word == "rnn_tanh" and chosen and isinstance(chosen.value, list) and "Relu" in chosen.value:
        word = "rnn_relu"
    weights = [e.call.maybe(i) for i in (1, 2, 3, *((7,) if word == "lstm" else ()))]
    while weights[-1] is None:
        weights.pop()
    batch_first = bool(e.call.integer("layout", 0))
    every, *last = e.outputs
    joined = e.temporary((*x.shape[:2], directions * hidden), x.dtype)
    options = {"units": directions * hidden, "batch_first": batch_first}
    e.op(word, [x, *weights], [joined, *last], **options)
    if every.name:  # ONNX keeps the directions apart, before the batch
        apart = e.temporary((*x.shape[:2], directions, hidden), x.dtype)
        e.op("view", [joined], [every if batch_first else apart])
        if not batch_first:
            e.op("permute", [apart], [every], dims=(0, 2, 1, 3))


def attention(e: Emission) -> None:
    """Queries, keys and values, split into heads where they come in one piece."""
    query, key, value = (e.call.value(i) for i in range(3))
    if len(query.shape) == 3:
        heads, groups = e.call.integer("q_num_heads", 1), e.call.integer("kv_num_heads", 1)
        query, key, value = _split(e, query, heads), _split(e, key, groups), _split(e, value, groups)
    if e.call.maybe(4) is not None:
        key, value = _grown(e, key, 4), _grown(e, value, 5)
    e.op(
        "attention",
        [query, key, value, e.call.maybe(3)],
        e.outputs[:1],
        is_causal=bool(e.call.integer("is_causal", 0)),
    )


def _split(e: Emission, value: Value, heads: int) -> Value:
    batch, length, width = value.shape
    return e.op("view", [value], [e.temporary((batch, heads, length, width // heads), value.dtype)])


def _grown(e: Emission, value: Value, past: int) -> Value:
    """Keys or values behind those that are kept from before."""
    kept = e.call.value(past)
    shape = (*value.shape[:-2], kept.shape[-2] + value.shape[-2], value.shape[-1])
    present = e.outputs[past - 3 : past - 2]
    made = present if present and present[0].name else [e.temporary(shape, value.dtype)]
    return e.op("cat", [kept, value], made, dim=-2)


def norm(word: str) -> Translation:
    """A norm over the last axes, from `axis` on."""

    def translate(e: Emission) -> None:
        shape = e.call.ranked(0, 1)
        axis = e.call.axis(e.call.integer("axis", -1), len(shape))
        inputs = [e.call.maybe(i) for i in range(3 if word == "layer_norm" else 2)]
        e.op(word, inputs, e.outputs[:1], normalized_shape=shape[axis:])

    return translate


def skip_norm(word: str) -> Translation:
    """A sum of two branches (and a bias), then the norm."""

    def translate(e: Emission) -> None:
        x, skip = e.call.value(0), e.call.value(1)
        layer = word == "layer_norm"
        parts = [x, skip, e.call.maybe(4 if layer else 3)]
        total = (
            e.outputs[3] if len(e.outputs) > 3 and e.outputs[3].name else e.temporary(x.shape, x.dtype)
        )
        e.op("add", [p for p in parts if p is not None], [total])
        weights = [e.call.maybe(2), e.call.maybe(3)] if layer else [e.call.maybe(2)]
        e.op(word, [total, *weights], e.outputs[:1], normalized_shape=x.shape[-1:])

    return translate


def batch_norm(e: Emission) -> None:
    e.op("batch_norm", [e.call.maybe(i) for i in range(5)], e.outputs[:1])


def group_norm(e: Emission) -> None:
    e.op("group_norm", [e.call.maybe(i) for i in range(3)], num_groups=e.call.integer("num_groups", 1))
