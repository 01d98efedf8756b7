"""Lower layers with weights: convolutions, linear layers, norms, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.arithmetic import Margin
from archcalc.interop.lowering import constants
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Layout
from archcalc.interop.lowering.laying import (
    Weighing,
    along,
    map_of,
    mapped,
    margins,
    reordered,
    sizes,
    vector,
)
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.projections import projected_out
from archcalc.interop.trace import Operation


def conv(low: LoweringState, op: Operation) -> None:
    weight = low.shape(op.inputs[1])
    kernel = weight[2:]
    axes, groups = len(kernel), int(op.attributes.get("groups", 1))
    x, images = map_of(low, low.layout(op.inputs[0]), axes)
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    given = {
        "filters": weight[0],
        "k": along(images, kernel, 1),
        "s": along(images, sizes(op.attributes.get("stride", 1), axes), 1),
        "p": along(images, margins(op, kernel), Margin(0, 0)),
        "d": along(images, sizes(op.attributes.get("dilation", 1), axes), 1),
        "g": groups,
        "same": op.attributes.get("padding") == "same",
        "nobias": bias is None,
    }
    _require_fixed(low, op)
    order = (*range(2, axes + 2), 1, 0)
    held: list[Weighing] = [("weight", op.inputs[1] or "", weight, order)]
    if bias is not None:
        held.append(("bias", bias, (weight[0],), (0,)))
    mapped(low, op, low.add("conv", [x.node], held, **given), images)


def conv_transpose(low: LoweringState, op: Operation) -> None:
    weight = low.shape(op.inputs[1])
    kernel = weight[2:]
    axes, groups = len(kernel), int(op.attributes.get("groups", 1))
    layout = low.layout(op.inputs[0])
    x, images = map_of(low, layout, axes)
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    filters = weight[1] * groups
    stride = sizes(op.attributes.get("stride", 1), axes)
    dilation = sizes(op.attributes.get("dilation", 1), axes)
    pads = margins(op, kernel)
    before, after = low.shape(op.inputs[0])[-axes:], low.shape(op.outputs[0])[-axes:]
    plain = [
        (n - 1) * s + d * (k - 1) + 1 - p.before - p.after
        for n, s, d, k, p in zip(before, stride, dilation, kernel, pads, strict=True)
    ]
    given = {
        "filters": filters,
        "k": along(images, kernel, 1),
        "s": along(images, stride, 1),
        "p": along(images, pads, Margin(0, 0)),
        "d": along(images, dilation, 1),
        "g": groups,
        "out": along(images, tuple(m - n for m, n in zip(after, plain, strict=True)), 0),
        "nobias": bias is None,
    }
    _require_fixed(low, op)
    split = (groups, weight[0] // groups, weight[1], *kernel)
    order = (*range(3, axes + 3), 1, 0, 2)
    held: list[Weighing] = [("weight", op.inputs[1] or "", split, order)]
    if bias is not None:
        held.append(("bias", bias, (filters,), (0,)))
    mapped(low, op, low.add("deconv", [x.node], held, **given), images)


def _require_fixed(low: LoweringState, op: Operation) -> None:
    """Refuse weights, the second input, that are computed or not trainable, or fewer than they seem."""
    weight = op.inputs[1] or ""
    if low.live(weight):
        raise LoweringError("its weights depend on the input")
    size, learned = prod(low.shape(weight)), low.learned_behind(weight)
    if not learned:
        raise LoweringError("its weights are not trainable, and those of archcalc's layer are")
    if learned > size:
        raise LoweringError(f"its {size:,} weights are made of {learned:,} learned numbers")


def linear(low: LoweringState, op: Operation) -> None:
    """Lower a linear layer; on a feature map it becomes a 1×1 convolution."""
    weight = low.shape(op.inputs[1])
    layout = low.layout(op.inputs[0])
    _require_fixed(low, op)
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    dense(low, op, layout, weight[0], op.inputs[1] or "", bias)


def dense(
    low: LoweringState,
    op: Operation,
    layout: Layout,
    units: int,
    weight: str,
    bias: str | None,
    turned: bool = False,
) -> None:
    """Add a linear layer over the file's last axis.

    Its weight is units × inputs, or inputs × units if `turned`.
    """
    if bias is not None and (low.shape(bias) != (units,) or not low.parameter_behind(bias)):
        between = low.temporary(low.shape(op.outputs[0]))
        dense(low, op._replace(outputs=(between,)), layout, units, weight, None, turned)
        constants.biased(low, op, bias, low.layout(between))
        return
    if (
        not turned
        and layout.own[-1] == low.atoms.leaves(layout.file[-1])
        and projected_out(low, layout, units, weight, bias)
    ):
        low.set(op.outputs[0], layout)
        return
    x = low.gather(layout, layout.file[-1])
    split, order = reordered(low, layout.file[-1], x.own[-1])
    split, order = (units, *split), (*(n + 1 for n in order), 0)
    if turned:
        split, order = (*split[1:], units), (*(n - 1 for n in order[:-1]), len(split) - 1)
    held: list[Weighing] = [
        ("weight", weight, split, order),
        *([("bias", bias, (units,), (0,))] if bias is not None else []),
    ]
    exact = not turned and bias is None and x.own[-1] == low.atoms.leaves(layout.file[-1])
    node = _product(low, x.node, held, units, low.table_of(weight) if exact else None)
    made = low.atoms.new(units)
    low.set(op.outputs[0], Layout(node, (*x.file[:-1], made), (*x.own[:-1], made)))


def _product(low: LoweringState, x: int, held: Sequence[Weighing], units: int, table: int | None) -> int:
    """Add a dense layer: linear, a 1×1 convolution on a map, or a head that shares an embedding."""
    if table is not None:
        return low.tied(x, table, units)
    shape, nobias = low.nodes[x].shape, len(held) == 1
    if shape.rank == 1 or (shape.positions == 1 and shape.rank == 2):
        return low.add("linear", [x], held, units=units, nobias=nobias)
    return low.add("conv", [x], held, filters=units, nobias=nobias)


def batch_norm(low: LoweringState, op: Operation) -> None:
    """Lower batch norm: scale, shift, mean, variance; a run computes statistics that the file lacks."""
    layout = low.layout(op.inputs[0])
    channels = layout.file[1]
    x = low.gather(layout, channels)
    scale, shift, mean, variance = (*op.inputs[1:5], *[None] * (5 - len(op.inputs)))[:4]
    names = zip(("scale", "shift", "mean", "variance"), (scale, shift, mean, variance), strict=True)
    held = [w for name, t in names for w in vector(low, name, t, channels, x.own[-1])]
    node = low.add("bn", [x.node], held, noscale=scale is None, noshift=shift is None, **_eps(op))
    low.set(op.outputs[0], x._replace(node=node))


def _eps(op: Operation) -> dict[str, float]:
    eps = op.attributes.get("eps")
    return {} if not isinstance(eps, (int, float)) or not 0 < eps <= 1 else {"eps": float(eps)}


def layer_norm(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    normal = op.attributes.get("normalized_shape")
    count = len(normal) if isinstance(normal, (tuple, list)) else 1
    channels = tuple(atom for axis in layout.file[len(layout.file) - count :] for atom in axis)
    x = low.gather(layout, channels)
    scale, shift = (*op.inputs[1:3], None, None)[:2]
    held = vector(low, "scale", scale, channels, x.own[-1])
    if op.word == "rms_norm":
        node = low.add("rmsnorm", [x.node], held, noscale=scale is None, **_eps(op))
    else:
        held += vector(low, "shift", shift, channels, x.own[-1])
        node = low.add("ln", [x.node], held, noscale=scale is None, noshift=shift is None, **_eps(op))
    low.set(op.outputs[0], x._replace(node=node))


def group_norm(low: LoweringState, op: Operation) -> None:
    if op.attributes.get("use_input_stats") is False:  # an instance norm with running statistics
        batch_norm(low, op)
        return
    layout = low.layout(op.inputs[0])
    channels = layout.file[1]
    if low.atoms.size(layout.file[0]) > 1:
        raise LoweringError("it normalizes several images at once")
    x = low.gather(layout, channels, exact=True)
    scale, shift = (*op.inputs[1:3], None, None)[:2]
    held = vector(low, "scale", scale, channels, x.own[-1])
    held += vector(low, "shift", shift, channels, x.own[-1])
    given: dict[str, Any] = {"noscale": scale is None, "noshift": shift is None, **_eps(op)}
    if op.word == "group_norm":
        given["groups"] = int(op.attributes.get("num_groups", 1))
    word = "groupnorm" if op.word == "group_norm" else "instancenorm"
    low.set(op.outputs[0], x._replace(node=low.add(word, [x.node], held, **given)))


def local_response_norm(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    x = low.gather(layout, layout.file[1], exact=True)
    size = int(op.attributes.get("size", 1))
    node = low.add("lrn", [x.node], size=size)
    known = {"alpha": 1e-4 * size, "beta": 0.75, "bias": 2}
    if any(abs(op.attributes[name] / number - 1) > 1e-6 for name, number in known.items()):
        low.otherwise[node] = "its factors are not those of Krizhevsky et al. 2012"
    low.set(op.outputs[0], x._replace(node=node))


def embedding(low: LoweringState, op: Operation) -> None:
    """Lower an embedding: look up a row of its table for each word index."""
    words, width = low.shape(op.inputs[0])
    layout = low.layout(op.inputs[1])
    x = low.gather(layout, ())
    held: list[Weighing] = [("weight", op.inputs[0] or "", (words, width), (0, 1))]
    node = low.add("embedding", [x.node], held, words=words, channels=width)
    low.table(op.inputs[0] or "", node)
    made = low.atoms.new(width)
    low.set(op.outputs[0], Layout(node, (*x.file, made), (*x.own[:-1], made)))
