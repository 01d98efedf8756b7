"""Layers in words of the vocabulary: inputs in its order, attributes under torch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.emit import Emission
from archcalc.interop.onnx.rules.products import turned
from archcalc.interop.onnx.rules.windows import kernel, padding, positive
from archcalc.interop.onnx.values import Value

Translation = Callable[[Emission], object]


def _windows(e: Emission, axes: int) -> dict[str, Any]:
    """Return strides and padding; padding that differs before and after is written in full."""
    pads = padding(e.call, axes)
    even = pads[:axes] == pads[axes:]
    return {
        "stride": tuple(positive(e.call, "strides", axes)),
        "padding": tuple(pads[:axes] if even else pads),
        "dilation": tuple(positive(e.call, "dilations", axes)),
    }


def conv(word: str, x: int = 0, weight: int = 1, bias: int = 2) -> Translation:
    """Return a convolution whose tensors stand at these places."""

    def translate(e: Emission) -> None:
        filters = e.call.value(weight)
        options = _windows(e, len(filters.shape) - 2)
        inputs = [e.call.value(x), filters, e.call.maybe(bias)]
        e.op(word, [*inputs], e.outputs[:1], groups=e.call.integer("group", 1), **options)

    return translate


def deform_conv(e: Emission) -> None:
    """Translate a deformable conv, with inputs in torchvision's order: x, weight, offset, mask, bias."""
    inputs = [e.call.maybe(i) for i in (0, 1, 2, 4, 3)]
    e.op("deform_conv", inputs, **_windows(e, len(e.call.value(1).shape) - 2))


def fused_conv(e: Emission) -> None:
    """Translate a convolution with its activation."""
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
    """Return a product of two tensors; with a stored matrix it is a linear layer."""

    def translate(e: Emission) -> None:
        left, right = e.call.value(a), e.call.value(b)
        added = e.call.maybe(bias) if bias >= 0 else None
        if len(right.shape) == 2 and right.fixed and len(left.shape) > 1:
            e.op("linear", [left, weight_of(e, right), added], e.outputs[:1])
        elif added is not None:
            between = e.temporary(e.outputs[0].shape, e.outputs[0].dtype)
            e.op("matmul", [left, right], [between])
            e.op("add", [between, added], e.outputs[:1])
        else:
            e.op("matmul", [left, right], e.outputs[:1])

    return translate


def weight_of(e: Emission, matrix: Value) -> Value:
    """Return a matrix of weights as torch has it, [out, in]: the transpose is folded."""
    made = e.temporary(matrix.shape[::-1], matrix.dtype, fixed=True)
    e.learns("linear", 1, matrix)
    return e.op("permute", [matrix], [made], dims=(1, 0))


def fused_matmul(e: Emission) -> None:
    """Translate a product of matrices, of which either may be transposed."""
    operands: list[Value] = []
    for position, side in enumerate("AB"):
        value = e.call.value(position)
        order = turned(e.call, side, len(value.shape))
        if order != tuple(range(len(order))):
            made = e.temporary(tuple(value.shape[axis] for axis in order), value.dtype, value.fixed)
            value = e.op("permute", [value], [made], dims=order)
        operands.append(value)
    e.op("matmul", [*operands])


def gemm(a: int, b: int, c: int) -> Translation:
    """Return the translation of a·b + c; with a stored matrix, it is a linear layer."""

    def translate(e: Emission) -> None:
        left, right, added = e.call.value(a), e.call.value(b), e.call.maybe(c)
        if e.call.integer("transA", 0):
            made = e.temporary(left.shape[::-1], left.dtype, left.fixed)
            left = e.op("permute", [left], [made], dims=(1, 0))
        if right.fixed:
            weight = right if e.call.integer("transB", 0) else weight_of(e, right)
            e.op("linear", [left, weight, added])
        elif added is None:
            e.op("matmul", [left, right])
        else:
            e.op("addmm", [added, left, right])

    return translate


def recurrent(e: Emission) -> None:
    """Translate an LSTM, GRU or RNN with its weights as they are."""
    word = {"LSTM": "lstm", "GRU": "gru"}.get(e.call.op, "rnn_tanh")
    chosen = e.call.attributes.get("activations")
    if word == "rnn_tanh" and chosen and isinstance(chosen.value, list) and "Relu" in chosen.value:
        word = "rnn_relu"
    peepholes = (7,) if word == "lstm" else ()
    steps_of(e, word, [e.call.maybe(i) for i in (1, 2, 3, *peepholes)], e.call.ranked(2, 3)[-1])


def steps_of(e: Emission, word: str, weights: list[Value | None], hidden: int) -> None:
    """Write it as torch's: directions beside each other, states from elsewhere passed along."""
    x, directions = e.call.first, e.call.ranked(1, 3)[0]
    states = [e.call.maybe(5), e.call.maybe(6) if word == "lstm" else None]
    moving = [v for v in states if v is not None and not v.fixed]
    if moving:
        x = e.op("copy", [x, *moving], [e.temporary(x.shape, x.dtype)])
    while weights[-1] is None:
        weights.pop()
    batch_first = bool(e.call.integer("layout", 0))
    every, *last = e.outputs
    joined = e.temporary((*x.shape[:2], directions * hidden), x.dtype)
    options: dict[str, Any] = {"units": directions * hidden, "batch_first": batch_first}
    options |= {"own_way": _own_way(e, word), "before": not e.call.integer("linear_before_reset", 0)}
    e.op(word, [x, *weights], [joined, *last], **options)
    if every.name:  # ONNX keeps the directions apart, before the batch
        apart = e.temporary((*x.shape[:2], directions, hidden), x.dtype)
        e.op("view", [joined], [every if batch_first else apart])
        if not batch_first:
            e.op("permute", [apart], [every], dims=(0, 2, 1, 3))


_USUAL = {"lstm": "sigmoid tanh tanh", "gru": "sigmoid tanh", "rnn_tanh": "tanh", "rnn_relu": "relu"}


def _own_way(e: Emission, word: str) -> str:
    """Return how it differs from torch's, if it does."""
    call = e.call
    chosen = call.attributes["activations"].value if "activations" in call.attributes else None
    named = " ".join(str(each) for each in chosen).lower() if isinstance(chosen, list) else _USUAL[word]
    states = [v for v in map(call.maybe, (5, 6)) if v is not None]
    lengths = call.maybe(4)
    steps = call.first.shape[1 if call.integer("layout", 0) else 0]
    facts = {
        "its initial state depends on the input": any(not v.fixed for v in states),
        "its initial state is stored, and may not be zero": any(
            v.fixed and not v.blank and (v.numbers is None or any(v.numbers)) for v in states
        ),
        "its sequences differ in length": lengths is not None
        and (lengths.numbers is None or set(lengths.numbers) != {steps}),
        "it runs backward only": call.text("direction", "forward") == "reverse",
        "its activations are other ones": named not in (_USUAL[word], f"{_USUAL[word]} {_USUAL[word]}"),
        "it clips the inputs of its gates": "clip" in call.attributes,
        "its gates are coupled": bool(call.integer("input_forget", 0)),
        "its gates read the memory cells": word == "lstm" and call.maybe(7) is not None,
        "its sequences lie in the first axis": bool(call.integer("layout", 0)),
    }
    return next((reason for reason, holds in facts.items() if holds), "")


def attention(e: Emission) -> None:
    """Translate attention; split queries, keys and values into heads if they have none."""
    query, key, value = (e.call.value(i) for i in range(3))
    whole = len(query.shape) == 3
    if whole:
        heads, groups = e.call.integer("q_num_heads", 1), e.call.integer("kv_num_heads", 1)
        query = split_heads(e, query, heads)
        key, value = split_heads(e, key, groups), split_heads(e, value, groups)
    if e.call.maybe(4) is not None:
        key = grown(e, key, e.call.value(4), e.outputs[1:2])
        value = grown(e, value, e.call.value(5), e.outputs[2:3])
    attend(e, [query, key, value], e.call.maybe(3), whole)


def attend(e: Emission, heads: list[Value], mask: Value | None, whole: bool) -> None:
    """Emit attention of queries, keys and values; `whole` joins the heads again."""
    if not whole:
        e.op("attention", [*heads, mask], e.outputs[:1])
        return
    mixed = e.temporary((*heads[0].shape[:-1], heads[2].shape[-1]), heads[0].dtype)
    e.op("view", [e.op("attention", [*heads, mask], [mixed])], e.outputs[:1])


def split_heads(e: Emission, value: Value, heads: int) -> Value:
    """Emit [batch, length, heads·size] → [batch, heads, length, size]."""
    batch, length, width = value.shape
    return e.op("view", [value], [e.temporary((batch, heads, length, width // heads), value.dtype)])


def grown(e: Emission, new: Value, kept: Value, made: list[Value]) -> Value:
    """Emit keys or values after those that are cached."""
    shape = (*new.shape[:-2], kept.shape[-2] + new.shape[-2], new.shape[-1])
    present = made if made and made[0].name else [e.temporary(shape, new.dtype)]
    return e.op("cat", [kept, new], present, dim=-2)


def norm(word: str) -> Translation:
    """Return a norm over the last axes, from `axis` on."""

    def translate(e: Emission) -> None:
        shape = e.call.ranked(0, 1)
        axis = e.call.axis(e.call.integer("axis", -1), len(shape))
        inputs = [e.call.maybe(i) for i in range(3 if word == "layer_norm" else 2)]
        e.op(word, inputs, e.outputs[:1], normalized_shape=shape[axis:])

    return translate


def skip_norm(word: str) -> Translation:
    """Return a sum of two branches (and a bias), then the norm."""

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
