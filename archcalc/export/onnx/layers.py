"""Write convolutions, dense layers, pools and norms as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from archcalc.export.onnx.draft import Draft
from archcalc.export.refusal import ExportError
from archcalc.export.windows import counts_zeros, declared, hangs_over, sides
from archcalc.graph.model import Node

LayerNodes = Callable[[Draft, int, Node], None]


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in values)


def _ends(pairs: Any) -> list[int]:
    """Return padding in ONNX's order: all numbers before the axes, then all after them."""
    return [*(before for before, _ in pairs), *(behind for _, behind in pairs)]


def conv(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    if op.table is not None:
        raise ExportError("a table of connections between channels")
    x = d.graph.input_shapes(node)[0]
    kernel = _ints(op.k)
    filters = (int(op.filters), int(x.channels) // int(op.g), *kernel)
    inputs = [d.get(node.inputs[0], "first", node.path)]
    inputs.append(
        d.weight(
            node, "weight", filters, lambda w: w.transpose(-1 % w.ndim, -2 % w.ndim, *range(w.ndim - 2))
        )
    )
    if not op.nobias:
        inputs.append(d.weight(node, "bias", (op.filters,)))
    options = {"kernel_shape": kernel, "strides": _ints(op.s), "dilations": _ints(op.d)}
    pads = _ends(sides(op, x))
    made = d.op(
        "Conv", inputs, d.shape_of(index, "first"), node.path, pads=pads, group=int(op.g), **options
    )
    d.put(index, "first", made)


def deconv(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    x = d.graph.input_shapes(node)[0]
    kernel, groups, filters = _ints(op.k), int(op.g), int(op.filters)
    sizes = (int(x.channels), filters // groups, *kernel)

    def change(w: Any) -> Any:
        axes = w.ndim - 2
        apart = w.reshape(*w.shape[:-1], groups, filters // groups)
        return apart.transpose(axes + 1, axes, axes + 2, *range(axes)).reshape(sizes)

    if any(int(out) >= int(stride) for out, stride in zip(op.out, op.s, strict=True) if out):
        raise ExportError("an `out` as large as the stride")
    inputs = [d.get(node.inputs[0], "first", node.path), d.weight(node, "weight", sizes, change)]
    if not op.nobias:
        inputs.append(d.weight(node, "bias", (filters,)))
    made = d.op(
        "ConvTranspose",
        inputs,
        d.shape_of(index, "first"),
        node.path,
        kernel_shape=kernel,
        strides=_ints(op.s),
        dilations=_ints(op.d),
        pads=_ends([_ints(pair) for pair in op.p]),
        output_padding=_ints(op.out),
        group=groups,
    )
    d.put(index, "first", made)


def linear(d: Draft, index: int, node: Node) -> None:
    """Write a dense layer: Gemm with torch's weight layout for a vector, MatMul for a sequence."""
    op: Any = node.operator
    x = d.graph.input_shapes(node)[0]
    if prod(x[:-1]) == 1:
        inputs = [d.get(node.inputs[0], "flat", node.path)]
        inputs.append(d.weight(node, "weight", (op.units, x.channels), lambda w: w.T))
        if not op.nobias:
            inputs.append(d.weight(node, "bias", (op.units,)))
        d.put(index, "flat", d.op("Gemm", inputs, (1, op.units), node.path, transB=1))
        return
    out = d.shape_of(index, "last")
    d.put(index, "last", product(d, node, d.get(node.inputs[0], "last", node.path), out, not op.nobias))


def product(d: Draft, node: Node, x: str, out: tuple[int, ...], bias: bool, name: str = "") -> str:
    """Add a matrix product of the last axis, with a bias; `name` is the projection's."""
    weight, added = (f"{name}.weight", f"{name}.bias") if name else ("weight", "bias")
    matrix = d.weight(node, weight, (d.shapes[x][-1], out[-1]))
    made = d.op("MatMul", [x, matrix], out, node.path)
    if not bias:
        return made
    flat = d.weight(node, added, (out[-1],), lambda b: b.reshape(-1))
    return d.op("Add", [made, flat], out, node.path)


def pool(kind: str) -> LayerNodes:
    """Return a rule for a pool; a sum is the mean (padding included) times the window's size."""

    def write(d: Draft, index: int, node: Node) -> None:
        op: Any = node.operator
        x = d.graph.input_shapes(node)[0]
        options: dict[str, Any] = {"kernel_shape": _ints(op.k), "strides": _ints(op.s)}
        if kind == "MaxPool":
            options["dilations"] = _ints(op.d)
        elif op.name == "sumpool" or counts_zeros(op):
            padded = any(a or b for a, b in declared(op, x))
            over = hangs_over(op, x)
            if over and (padded or op.name == "sumpool"):
                raise ExportError("rounding up beyond padding that counts")
            options["count_include_pad"] = int(not over)
        out, pads = d.shape_of(index, "first"), _ends(sides(op, x))
        read = d.get(node.inputs[0], "first", node.path)
        made = d.op(kind, [read], out, node.path, pads=pads, **options)
        if op.name == "sumpool":
            made = d.op("Mul", [made, d.number(float(prod(_ints(op.k))))], out, node.path)
        d.put(index, "first", made)

    return write


def gap(d: Draft, index: int, node: Node) -> None:
    x = d.graph.input_shapes(node)[0]
    read = d.get(node.inputs[0], "first", node.path)
    one = (1, x.channels, *(1 for _ in x.extents))
    made = d.op("GlobalAveragePool", [read], one, node.path)
    d.put(index, "flat", d.op("Flatten", [made], (1, x.channels), node.path))


def adaptive_pool(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    x = d.graph.input_shapes(node)[0]
    pairs = [(int(n), int(m)) for n, m in zip(x.extents, op.size, strict=True)]
    if any(n % m for n, m in pairs):
        raise ExportError("cells of different sizes")
    cells = tuple(n // m for n, m in pairs)
    kind = "MaxPool" if op.max else "AveragePool"
    read, out = d.get(node.inputs[0], "first", node.path), d.shape_of(index, "first")
    d.put(index, "first", d.op(kind, [read], out, node.path, kernel_shape=cells, strides=cells))


def batch_norm(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    each = (int(node.shape.channels),)
    roles = {"scale": not op.noscale, "shift": not op.noshift, "mean": True, "variance": True}
    inputs = [d.get(node.inputs[0], "first", node.path)]
    for role, there in roles.items():
        inputs.append(d.weight(node, role, each) if there else filled(d, role, each, node.path))
    out = d.shape_of(index, "first")
    d.put(index, "first", d.op("BatchNormalization", inputs, out, node.path, epsilon=float(op.eps)))


def filled(d: Draft, role: str, shape: tuple[int, ...], at: str) -> str:
    """Return a constant in place of a missing weight: ones for a scale, zeros for a shift."""
    one = d.number(float(role == "scale"))
    return d.op("Expand", [one, d.integers(shape)], shape, at)


def layer_norm(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    each = (int(node.shape.channels),)
    inputs = [d.get(node.inputs[0], "last", node.path)]
    inputs.append(filled(d, "scale", each, node.path) if op.noscale else d.weight(node, "scale", each))
    if not op.noshift:
        inputs.append(d.weight(node, "shift", each))
    out = d.shape_of(index, "last")
    options = {"axis": -1, "epsilon": float(op.eps)}
    d.put(index, "last", d.op("LayerNormalization", inputs, out, node.path, **options))


def group_norm(kind: str) -> LayerNodes:
    def write(d: Draft, index: int, node: Node) -> None:
        op: Any = node.operator
        each = (int(node.shape.channels),)
        inputs = [d.get(node.inputs[0], "first", node.path)]
        inputs.append(
            filled(d, "scale", each, node.path) if op.noscale else d.weight(node, "scale", each)
        )
        inputs.append(
            filled(d, "shift", each, node.path) if op.noshift else d.weight(node, "shift", each)
        )
        options: dict[str, Any] = {"epsilon": float(op.eps)}
        if kind == "GroupNormalization":
            options["num_groups"] = int(op.groups)
        d.put(index, "first", d.op(kind, inputs, d.shape_of(index, "first"), node.path, **options))

    return write


def rms_norm(d: Draft, index: int, node: Node) -> None:
    """Write RMS norm step by step, because older runtimes have no node for it."""
    op: Any = node.operator
    x, out = d.get(node.inputs[0], "last", node.path), d.shape_of(index, "last")
    line = (*out[:-1], 1)
    square = d.op("Mul", [x, x], out, node.path)
    mean = d.op("ReduceMean", [square, d.integers([-1])], line, node.path, keepdims=1)
    added = d.op("Add", [mean, d.number(float(op.eps))], line, node.path)
    root = d.op("Sqrt", [added], line, node.path)
    made = d.op("Div", [x, root], out, node.path)
    if not op.noscale:
        made = d.op("Mul", [made, d.weight(node, "scale", out[-1:])], out, node.path)
    d.put(index, "last", made)


def response_norm(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    size = int(op.size)
    if size % 2 == 0:
        raise ExportError("an even number of channels around one")
    read, out = d.get(node.inputs[0], "first", node.path), d.shape_of(index, "first")
    options = {"size": size, "alpha": 1e-4 * size, "beta": 0.75, "bias": 2.0}  # ONNX divides alpha
    d.put(index, "first", d.op("LRN", [read], out, node.path, **options))


LAYERS: dict[str, LayerNodes] = {
    "conv": conv,
    "deconv": deconv,
    "linear": linear,
    "maxpool": pool("MaxPool"),
    "avgpool": pool("AveragePool"),
    "sumpool": pool("AveragePool"),
    "gap": gap,
    "adaptivepool": adaptive_pool,
    "bn": batch_norm,
    "ln": layer_norm,
    "groupnorm": group_norm("GroupNormalization"),
    "instancenorm": group_norm("InstanceNormalization"),
    "rmsnorm": rms_norm,
    "lrn": response_norm,
}
