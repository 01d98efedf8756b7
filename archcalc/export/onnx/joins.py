"""Write joins, matrix products and reductions as ONNX nodes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.export.onnx.draft import Draft, Form
from archcalc.export.onnx.layers import LayerNodes
from archcalc.graph.model import Node

_PLACES = {"channels": -1, "length": -2, "width": -2, "height": -3, "frames": -4}


def axis_of(name: str, form: Form, rank: int) -> int:
    """Return the index of a named axis of a tensor with `rank` position axes."""
    place = _PLACES[name] % (rank + 2)
    if form != "first":
        return place
    return 1 if name == "channels" else place + 1


def _aligned(d: Draft, node: Node) -> tuple[Form, list[str]]:
    """Return the inputs of a join in one axis order; vectors get the axes of the other inputs."""
    op: Any = node.operator
    rank = len(node.shape)
    if all(prod(d.graph.nodes[i].shape[:-1]) == 1 for i in node.inputs) and "flat" in d.forms(
        node.inputs[0]
    ):
        return "flat", [d.get(i, "flat", node.path) for i in node.inputs]
    whole = [i for i in node.inputs if len(d.graph.nodes[i].shape) == rank]
    form: Form = "last" if all(d.forms(i)[0] == "last" for i in whole) else "first"
    names = []
    for i in node.inputs:
        shape = d.graph.nodes[i].shape
        if len(shape) == rank:
            name = d.get(i, form, node.path)
        else:
            ones = [1] * (rank - 1)
            channels = int(shape.channels)
            sizes = [1, *ones, channels] if form == "last" else [1, channels, *ones]
            name = d.reshape(d.get(i, "flat", node.path), sizes, node.path)
        names.append(_cropped(d, node, name, i, form) if op.crop else name)
    return form, names


def _cropped(d: Draft, node: Node, name: str, index: int, form: Form) -> str:
    """Return the center of a map, cropped to the size of the first input."""
    own, first = d.graph.nodes[index].shape, d.graph.nodes[node.inputs[0]].shape
    pairs = [(int(n), int(m)) for n, m in zip(own.extents, first.extents, strict=True)]
    begins = [(n - m) // 2 for n, m in pairs]
    if all(n == m for n, m in pairs):
        return name
    ends = [begin + m for begin, (_, m) in zip(begins, pairs, strict=True)]
    axes = range(1 + (form == "first"), 1 + (form == "first") + len(pairs))
    return cut(d, node.path, name, list(axes), begins, ends)


def join(kind: str) -> LayerNodes:
    """Return a rule that joins the inputs pair by pair, from first to last."""

    def write(d: Draft, index: int, node: Node) -> None:
        form, (made, *others) = _aligned(d, node)
        for other in others:
            sizes = zip(d.shapes[made], d.shapes[other], strict=True)
            made = d.op(kind, [made, other], [max(pair) for pair in sizes], node.path)
        d.put(index, form, made)

    return write


def concat(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    form, names = _aligned(d, node)
    axis = 1 if form == "flat" else axis_of(op.axis, form, node.shape.rank)
    d.put(index, form, d.op("Concat", names, d.shape_of(index, form), node.path, axis=axis))


def matmul(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    x, other = (d.get(i, "last", node.path) for i in node.inputs)
    if op.transposed:
        shape = d.shapes[other]
        rank = len(shape)
        order = (*range(rank - 2), rank - 1, rank - 2)
        other = d.op("Transpose", [other], (*shape[:-2], shape[-1], shape[-2]), node.path, perm=order)
    out = d.shape_of(index, "last")
    made = d.op("MatMul", [x, other], out, node.path)
    if op.scaled:
        made = d.op("Mul", [made, d.number(d.shapes[x][-1] ** -0.5)], out, node.path)
    d.put(index, "last", made)


def reduction(kind: str) -> LayerNodes:
    def write(d: Draft, index: int, node: Node) -> None:
        op: Any = node.operator
        rank = d.graph.input_shapes(node)[0].rank
        axes = range(1, rank + 1) if op.axis == "positions" else [axis_of(op.axis, "last", rank)]
        read = d.get(node.inputs[0], "last", node.path)
        inputs = [read, d.integers(list(axes))]
        d.put(index, "last", d.op(kind, inputs, d.shape_of(index, "last"), node.path, keepdims=1))

    return write


def cut(
    d: Draft, at: str, name: str, axes: Sequence[int], begins: Sequence[int], ends: Sequence[int]
) -> str:
    """Add a slice of a tensor along some axes, and return its output."""
    shape = list(d.shapes[name])
    for axis, begin, end in zip(axes, begins, ends, strict=True):
        shape[axis] = end - begin
    lists = [d.integers(values) for values in (begins, ends, axes)]
    return d.op("Slice", [name, *lists], shape, at)


JOINS: dict[str, LayerNodes] = {
    "add": join("Add"),
    "sub": join("Sub"),
    "mul": join("Mul"),
    "maximum": join("Max"),
    "concat": concat,
    "matmul": matmul,
    "mean": reduction("ReduceMean"),
    "sum": reduction("ReduceSum"),
    "max": reduction("ReduceMax"),
}
