"""Operators that move, choose or join values, and arithmetic that takes several words."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.interop.onnx.emit import Emission
from archcalc.interop.onnx.layers import Translation


def along(word: str, default: int, attribute: str = "axis") -> Translation:
    """Return a word that works along one axis."""
    return lambda e: e.op(word, [e.call.first], dim=e.call.integer(attribute, default))


def softmax(word: str) -> Translation:
    """Return the translation of a softmax, before opset 13 over all axes from `axis` on."""

    def translate(e: Emission) -> None:
        old = e.call.opset < 13
        shape, axis = e.call.ranked(0, 1), e.call.integer("axis", 1 if old else -1)
        axis = e.call.axis(axis, len(shape))
        if old and axis < len(shape) - 1:
            flat = e.temporary((prod(shape[:axis]), prod(shape[axis:])), e.call.first.dtype)
            after = e.temporary(flat.shape, flat.dtype)
            e.op("view", [e.call.first], [flat])
            e.op(word, [flat], [after], dim=-1)
            e.op("view", [after])
        else:
            e.op(word, [e.call.first], dim=axis)

    return translate


def cat(e: Emission) -> None:
    inputs = [*e.call.items(0)] if e.call.op == "ConcatFromSequence" else [*e.inputs]
    e.op("cat", [*inputs], dim=e.call.integer("axis", 0))


def quantized_cat(e: Emission) -> None:
    e.op("cat", e.inputs[2::3], dim=e.call.integer("axis", 0))


def transpose(e: Emission) -> None:
    rank = len(e.call.first.shape)
    order = e.call.integers("perm") or list(range(rank))[::-1]
    e.op("permute", [e.call.first], dims=tuple(order))


def gather(e: Emission) -> None:
    """Translate a gather; of a stored table, it is an embedding."""
    table, index = e.call.value(0), e.call.value(1)
    if table.fixed and not index.fixed and len(table.shape) == 2 and e.call.integer("axis", 0) == 0:
        e.op("embedding", [table, index])
    elif not index.shape:
        e.op("select", [table, index], dim=e.call.integer("axis", 0))
    else:
        e.op("gather", [table, index], dim=e.call.integer("axis", 0))


def power(e: Emission) -> None:
    exponent = e.call.value(1).numbers
    if exponent and len(exponent) == 1:
        e.op("pow", [e.call.first], exponent=exponent[0])
    else:
        e.op("pow", [e.call.first, e.call.value(1)])


def clip(e: Emission) -> None:
    """Translate a clip: bounds are attributes before opset 11, inputs since."""
    bounds: dict[str, Any] = {}
    for position, name in ((1, "min"), (2, "max")):
        given = e.call.maybe(position)
        if name in e.call.attributes or (given is not None and given.size):
            bounds[name] = e.call.real(name, 0.0)
            if given is not None:
                bounds[name] = (given.numbers or [0.0])[0]
    e.op("clamp", [e.call.first], **bounds)


def gelu(e: Emission) -> None:
    tanh = e.call.op == "FastGelu" or e.call.text("approximate", "none") == "tanh"
    x, bias = e.call.first, e.call.maybe(1)
    if bias is not None:
        x = e.op("add", [x, bias], [e.temporary(x.shape, x.dtype)])
    e.op("gelu", [x], approximate="tanh" if tanh else "none")


def resize(e: Emission) -> None:
    word = {"nearest": "upsample_nearest", "cubic": "upsample_cubic"}.get(
        e.call.text("mode", "nearest"), "upsample_linear"
    )
    e.op(word, [e.call.first])


def grid_sample(e: Emission) -> None:
    nearest = e.call.text("mode") == "nearest"
    e.op("gather" if nearest else "grid_sample", [e.call.first, e.call.value(1)])


def reduce(word: str) -> Translation:
    """Return the translation of a reduction, whose axes are an input since opset 13 (18)."""

    def translate(e: Emission) -> None:
        axes = e.call.listed("axes", 1)
        options: dict[str, Any] = {"dim": tuple(axes)} if axes else {}
        e.op(word, [e.call.first], **options)

    return translate


def largest(e: Emission) -> None:
    e.op("argmax", [e.call.first], dim=e.call.integer("axis", 0))


def einsum(e: Emission) -> None:
    e.op("einsum", [*e.inputs], equation=e.call.text("equation"))


def chain(*words: str) -> Translation:
    """Return the translation to words one after another, from the first input on."""

    def translate(e: Emission) -> None:
        value, axes = e.call.first, e.call.listed("axes", 1)
        dim: dict[str, Any] = {"dim": tuple(axes)} if axes else {}
        for word in words[:-1]:
            reduces = word in ("sum", "norm")
            shape = e.outputs[0].shape if reduces else value.shape
            value = e.op(word, [value], [e.temporary(shape, value.dtype)], **(dim if reduces else {}))
        e.op(words[-1], [value], **(dim if words[-1] in ("sum", "norm") else {}))

    return translate


def mean_of(e: Emission) -> None:
    """Translate the mean of several tensors: their sum times a number."""
    between = e.temporary(e.outputs[0].shape, e.outputs[0].dtype)
    e.op("add", [*e.inputs], [between])
    e.op("mul", [between])


def lp_norm(e: Emission) -> None:
    """Translate a division by the norm of each line."""
    shape = list(e.call.ranked(0, 1))
    shape[e.call.axis(e.call.integer("axis", -1), len(shape))] = 1
    length = e.temporary(tuple(shape), e.call.first.dtype)
    e.op("norm", [e.call.first], [length])
    e.op("div", [e.call.first, length])


def dynamic_quantize(e: Emission) -> None:
    """Translate a quantization that first finds the largest and smallest values."""
    for word, output in zip(("amax", "amin"), e.outputs[1:], strict=False):
        e.op(word, [e.call.first], [output])
    e.op("quantize", [e.call.first], e.outputs[:1])


def local_norm(e: Emission) -> None:
    size = e.call.integer("size", 1)
    usual = (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))
    given: dict[str, Any] = {name: e.call.real(name, number) for name, number in usual}
    e.op("local_response_norm", [e.call.first], size=size, **given)


def top_k(e: Emission) -> None:
    e.op("topk", [e.call.first], dim=e.call.integer("axis", -1))


def running(word: str) -> Translation:
    """Return the translation of running sums; the axis is an input."""

    def translate(e: Emission) -> None:
        axis = e.call.known(1)
        e.op(word, [e.call.first], dim=axis[0] if axis else -1)

    return translate


def split(e: Emission) -> None:
    """Translate a split along an axis into several results, or into a list."""
    items = e.outputs[0].items if e.outputs else None
    e.op("split", [e.call.first], items or e.outputs, dim=e.call.integer("axis", 0))


def rotary(e: Emission) -> None:
    """Translate rotary embedding: values by cosines plus their partners by sines, of constant tables."""
    x = e.call.first
    parts = [e.temporary(x.shape, x.dtype) for _ in range(2)]
    for part in parts:
        e.op("mul", [x, None], [part])
    e.op("add", [*parts], e.outputs[:1])
