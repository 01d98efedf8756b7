"""Write elementwise layers as ONNX nodes: activations, scales, stored factors and offsets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.export.onnx.draft import Draft, Form
from archcalc.export.onnx.layers import LayerNodes
from archcalc.export.refusal import ExportError
from archcalc.graph.model import Node


def scale(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    form = d.forms(node.inputs[0])[0]
    made, out = d.get(node.inputs[0], form, node.path), d.shape_of(index, form)
    for kind, role in (("Mul", "weight"), ("Add", "bias")):
        if role == "weight" or not op.nobias:
            made = d.op(kind, [made, by_channel(d, node, role, form)], out, node.path)
    d.put(index, form, made)


def stored(kind: str) -> LayerNodes:
    """Return a rule for a sum or product with a stored tensor, which is broadcast."""

    def write(d: Draft, index: int, node: Node) -> None:
        op: Any = node.operator
        if op.of is not None:
            raise ExportError("a table that is made beforehand of other numbers")
        shape = tuple(map(int, op.shape))
        if op.fixed:
            path = d.graph.holder(node).path
            table = d.constant(f"{op.name}/const", shape, lambda values: values[path]["fixed"])
        else:
            table = d.weight(node, op.table, shape)
        read = d.get(node.inputs[0], "last", node.path)
        d.put(index, "last", d.op(kind, [read, table], d.shape_of(index, "last"), node.path))

    return write


def by_channel(d: Draft, node: Node, role: str, form: Form) -> str:
    """Return the weight with one number per channel, shaped to broadcast over the positions."""
    channels = int(node.shape.channels)
    shape = (channels, *(1 for _ in node.shape.extents)) if form == "first" else (channels,)
    return d.weight(node, role, shape, lambda w: w.reshape(shape))


def each(kind: str, **fixed: Any) -> LayerNodes:
    """Return a rule for an elementwise function; callable options are computed from the operator."""

    def write(d: Draft, index: int, node: Node) -> None:
        form = d.forms(node.inputs[0])[0]
        options = {key: v(node.operator) if callable(v) else v for key, v in fixed.items()}
        if "axis" in options:
            options["axis"] = 1 if form == "first" else -1
        read = d.get(node.inputs[0], form, node.path)
        d.put(index, form, d.op(kind, [read], d.shape_of(index, form), node.path, **options))

    return write


def clip(low: Callable[[Any], float | None], high: Callable[[Any], float | None]) -> LayerNodes:
    def write(d: Draft, index: int, node: Node) -> None:
        form = d.forms(node.inputs[0])[0]
        bounds = (low(node.operator), high(node.operator))
        inputs = [d.get(node.inputs[0], form, node.path)]
        inputs += ["" if bound is None else d.number(float(bound)) for bound in bounds]
        inputs = inputs[:2] if inputs[-1] == "" else inputs
        d.put(index, form, d.op("Clip", inputs, d.shape_of(index, form), node.path))

    return write


def swish(d: Draft, index: int, node: Node) -> None:
    form = d.forms(node.inputs[0])[0]
    read, out = d.get(node.inputs[0], form, node.path), d.shape_of(index, form)
    gate = d.op("Sigmoid", [read], out, node.path)
    d.put(index, form, d.op("Mul", [read, gate], out, node.path))


def prelu(d: Draft, index: int, node: Node) -> None:
    form = d.forms(node.inputs[0])[0]
    read, out = d.get(node.inputs[0], form, node.path), d.shape_of(index, form)
    op: Any = node.operator
    slope = d.weight(node, "weight", (1,)) if op.shared else by_channel(d, node, "weight", form)
    d.put(index, form, d.op("PRelu", [read, slope], out, node.path))


def gated(swish_first: bool) -> LayerNodes:
    """Return a rule for gated activations: one half of the channels is the gate of the other."""

    def write(d: Draft, index: int, node: Node) -> None:
        read, out = d.get(node.inputs[0], "last", node.path), d.shape_of(index, "last")
        first, second = d.ops("Split", [read], [out, out], node.path, axis=-1, num_outputs=2)
        gate = d.op("Sigmoid", [first if swish_first else second], out, node.path)
        made = d.op("Mul", [first, gate], out, node.path)
        if swish_first:
            made = d.op("Mul", [made, second], out, node.path)
        d.put(index, "last", made)

    return write


def nothing(d: Draft, index: int, node: Node) -> None:
    """Write no node, because the layer does nothing at inference."""
    d.same(index, node.inputs[0])


FUNCTIONS: dict[str, LayerNodes] = {
    "scale": scale,
    "offset": stored("Add"),
    "factor": stored("Mul"),
    "relu": each("Relu"),
    "leaky": each("LeakyRelu", alpha=lambda op: float(op.slope)),
    "elu": each("Elu", alpha=lambda op: float(op.alpha)),
    "selu": each("Selu"),
    "sigmoid": each("Sigmoid"),
    "tanh": each("Tanh"),
    "softplus": each("Softplus"),
    "mish": each("Mish"),
    "gelu": each("Gelu"),
    "hsigmoid": each("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hswish": each("HardSwish"),
    "softmax": each("Softmax", axis=-1),
    "logsoftmax": each("LogSoftmax", axis=-1),
    "relu6": clip(lambda op: 0.0, lambda op: 6.0),
    "hardtanh": clip(lambda op: -1.0, lambda op: 1.0),
    "clip": clip(lambda op: op.low, lambda op: op.high),
    "swish": swish,
    "prelu": prelu,
    "glu": gated(False),
    "swiglu": gated(True),
    "dropout": nothing,
    "droppath": nothing,
}
