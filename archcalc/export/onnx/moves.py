"""Write reshapes, moves, embeddings and tokens as ONNX nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.export.onnx.draft import Draft, Form, Values
from archcalc.export.onnx.joins import axis_of, cut
from archcalc.export.onnx.layers import LayerNodes
from archcalc.export.refusal import ExportError
from archcalc.graph.model import Node


def flatten(d: Draft, index: int, node: Node) -> None:
    """Flatten row by row with channels last: the order of the weights that follow."""
    read = d.get(node.inputs[0], "last", node.path)
    d.put(index, "flat", d.reshape(read, d.shape_of(index, "flat"), node.path))


def tokens(d: Draft, index: int, node: Node) -> None:
    """Write a reshape that keeps the order of the values."""
    read = d.get(node.inputs[0], "last", node.path)
    d.put(index, "last", d.reshape(read, d.shape_of(index, "last"), node.path))


def transpose(d: Draft, index: int, node: Node) -> None:
    """Exchange positions and channels: the same tensor, read in the other axis order."""
    d.put(index, "last", d.get(node.inputs[0], "first", node.path))


def permute(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    read = d.get(node.inputs[0], "last", node.path)
    order = (0, *(int(axis) + 1 for axis in op.order))
    d.put(index, "last", d.op("Transpose", [read], d.shape_of(index, "last"), node.path, perm=order))


def piece(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    form = d.forms(node.inputs[0])[0]
    axis = 1 if form == "flat" else axis_of(op.axis, form, node.shape.rank)
    begin = int(op.start)
    read = d.get(node.inputs[0], form, node.path)
    d.put(index, form, cut(d, node.path, read, [axis], [begin], [begin + int(op.size)]))


def token(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    read, at = d.get(node.inputs[0], "last", node.path), int(op.index)
    one = cut(d, node.path, read, [1], [at], [at + 1])
    d.put(index, "flat", d.reshape(one, d.shape_of(index, "flat"), node.path))


def crop(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    read = d.get(node.inputs[0], "first", node.path)
    begins = [int(first) for first, _ in op.size]
    ends = [begin + int(n) for begin, n in zip(begins, node.shape.extents, strict=True)]
    axes = range(2, 2 + len(begins))
    d.put(index, "first", cut(d, node.path, read, list(axes), begins, ends))


def pad(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    before, behind = ([int(pair[i]) for pair in op.size] for i in (0, 1))
    mode = "reflect" if op.reflect else "edge" if op.edge else "constant"
    inputs = [d.get(node.inputs[0], "first", node.path), d.integers([0, 0, *before, 0, 0, *behind])]
    d.put(index, "first", d.op("Pad", inputs, d.shape_of(index, "first"), node.path, mode=mode))


def pad_channels(d: Draft, index: int, node: Node) -> None:
    more = int(node.shape.channels) - int(d.graph.input_shapes(node)[0].channels)
    rank = node.shape.rank
    ends = [0] * (rank + 2) + [0, more] + [0] * rank
    inputs = [d.get(node.inputs[0], "first", node.path), d.integers(ends)]
    d.put(index, "first", d.op("Pad", inputs, d.shape_of(index, "first"), node.path))


def _regrouped(
    d: Draft, index: int, node: Node, apart: Sequence[int], order: Sequence[int], form: Form, read: str
) -> None:
    """Add a reshape to more axes, a transpose, and a reshape back."""
    split = d.reshape(read, apart, node.path)
    moved = d.op("Transpose", [split], [apart[i] for i in order], node.path, perm=tuple(order))
    d.put(index, form, d.reshape(moved, d.shape_of(index, form), node.path))


def rolled(d: Draft, at: str, name: str, axis: int, shift: int) -> str:
    """Add a cyclic shift along an axis, and return its output."""
    size = d.shapes[name][axis]
    if not shift % size:
        return name
    at_end = size - shift % size
    parts = [cut(d, at, name, [axis], [a], [b]) for a, b in ((at_end, size), (0, at_end))]
    return d.op("Concat", parts, d.shapes[name], at, axis=axis)


def roll(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    rank = node.shape.rank
    made = d.get(node.inputs[0], "last", node.path)
    axes = range(1, rank + 1) if op.axis == "positions" else [axis_of(op.axis, "last", rank)]
    for axis in axes:
        made = rolled(d, node.path, made, axis, int(op.shift))
    d.put(index, "last", made)


def shuffle(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    groups, channels = int(op.groups), int(node.shape.channels)
    apart = [1, groups, channels // groups, *map(int, node.shape.extents)]
    order = [0, 2, 1, *range(3, len(apart))]
    _regrouped(d, index, node, apart, order, "first", d.get(node.inputs[0], "first", node.path))


def pixel_shuffle(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    factor, x = [int(f) for f in op.factor], d.graph.input_shapes(node)[0]
    axes = len(factor)
    apart = [1, int(node.shape.channels), *factor, *map(int, x.extents)]
    order = [0, 1, *(i for axis in range(axes) for i in (2 + axes + axis, 2 + axis))]
    _regrouped(d, index, node, apart, order, "first", d.get(node.inputs[0], "first", node.path))


def pixel_unshuffle(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    x = d.graph.input_shapes(node)[0]
    pairs = [(int(n), int(f)) for n, f in zip(x.extents, op.factor, strict=True)]
    apart = [1, int(x.channels), *(part for n, f in pairs for part in (n // f, f))]
    inside, outside = range(3, len(apart), 2), range(2, len(apart), 2)
    order = [0, 1, *inside, *outside]
    _regrouped(d, index, node, apart, order, "first", d.get(node.inputs[0], "first", node.path))


def to_depth(d: Draft, index: int, node: Node) -> None:
    """Move blocks into channels; vertical neighbors come before horizontal ones."""
    op: Any = node.operator
    x = d.graph.input_shapes(node)[0]
    read = d.get(node.inputs[0], "last", node.path)
    more = [-int(n) % int(f) for n, f in zip(x.extents, op.factor, strict=True)]
    if any(more):
        whole = [1, *(int(n) + m for n, m in zip(x.extents, more, strict=True)), int(x.channels)]
        ends = [0] * (len(more) + 2) + [0, *more, 0]
        read = d.op("Pad", [read, d.integers(ends)], whole, node.path)
    sizes = d.shapes[read][1:-1]
    apart = [1]
    for n, f in zip(sizes, op.factor, strict=True):
        apart += [n // int(f), int(f)]
    apart.append(int(x.channels))
    last = len(apart) - 1
    order = [0, *range(1, last, 2), *range(last - 1, 0, -2), last]
    _regrouped(d, index, node, apart, order, "last", read)


def resize(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    out = d.shape_of(index, "first")
    options: dict[str, Any] = {"mode": "nearest", "nearest_mode": "floor"}
    where = "asymmetric"
    if op.bilinear or op.bicubic:
        where = "align_corners" if op.corners else "pytorch_half_pixel"
        options = {"mode": "cubic", "cubic_coeff_a": -0.75} if op.bicubic else {"mode": "linear"}
    inputs = [d.get(node.inputs[0], "first", node.path), "", "", d.integers(out)]
    options["coordinate_transformation_mode"] = where
    d.put(index, "first", d.op("Resize", inputs, out, node.path, **options))


def class_token(d: Draft, index: int, node: Node) -> None:
    one = d.weight(node, "weight", (1, 1, node.shape.channels), lambda w: w.reshape(1, 1, -1))
    inputs = [one, d.get(node.inputs[0], "last", node.path)]
    d.put(index, "last", d.op("Concat", inputs, d.shape_of(index, "last"), node.path, axis=1))


def position(d: Draft, index: int, node: Node) -> None:
    places = d.graph.weights(node)[0].shape if node.shares < 0 else node.shape
    table = d.weight(node, "position", places)
    length = int(node.shape[0])
    if int(places[0]) > length:
        lists = [d.integers([n]) for n in (0, length, 0)]
        table = d.op("Slice", [table, *lists], (length, int(places[-1])), node.path)
    out = d.shape_of(index, "last")
    read = d.get(node.inputs[0], "last", node.path)
    d.put(index, "last", d.op("Add", [read, table], out, node.path))


def embedding(d: Draft, index: int, node: Node) -> None:
    """Look up a row of the table for each id; the ids are integer inputs."""
    op: Any = node.operator
    ids = node.inputs[0]
    if d.graph.nodes[ids].inputs:
        raise ExportError("ids that a layer computes")
    table = d.weight(node, "weight", (op.words, op.channels))
    made = d.op("Gather", [table, d.get(ids, "flat", node.path)], d.shape_of(index, "last"), node.path)
    d.put(index, "last", made)


def unembed(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    channels = d.graph.input_shapes(node)[0].channels
    table = d.weight(node, "weight", (op.words, channels))
    turned = d.op("Transpose", [table], (channels, op.words), node.path, perm=(1, 0))
    read = d.get(node.inputs[0], "last", node.path)
    d.put(index, "last", d.op("MatMul", [read, turned], d.shape_of(index, "last"), node.path))


def sinusoid(d: Draft, index: int, node: Node) -> None:
    length, channels = (int(n) for n in node.shape)

    def make(values: Values) -> Any:
        from archcalc.execution.reference.embedding import waves

        return waves(length, channels)

    read = d.get(node.inputs[0], "last", node.path)
    table = d.constant("waves", (length, channels), make)
    d.put(index, "last", d.op("Add", [read, table], d.shape_of(index, "last"), node.path))


MOVES: dict[str, LayerNodes] = {
    "flatten": flatten,
    "tokens": tokens,
    "reshape": tokens,
    "transpose": transpose,
    "permute": permute,
    "slice": piece,
    "token": token,
    "crop": crop,
    "roll": roll,
    "pad": pad,
    "padchannels": pad_channels,
    "shuffle": shuffle,
    "pixelshuffle": pixel_shuffle,
    "pixelunshuffle": pixel_unshuffle,
    "todepth": to_depth,
    "upsample": resize,
    "resize": resize,
    "classtoken": class_token,
    "posembed": position,
    "embedding": embedding,
    "unembed": unembed,
    "sinusoid": sinusoid,
}
