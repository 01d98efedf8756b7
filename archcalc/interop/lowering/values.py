"""Lower activations and other elementwise functions, and joins of several tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.lowering.assembly import MOST_AXES, LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.laying import vector
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.trace import Operation

PLAIN = {
    "relu": "relu",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "swish",
    "gelu": "gelu",
    "mish": "mish",
    "softplus": "softplus",
    "hardsigmoid": "hsigmoid",
    "hardswish": "hswish",
}


def plain(low: LoweringState, op: Operation) -> None:
    """Lower an activation without parameters."""
    layout = low.layout(op.inputs[0])
    slope = op.attributes.get("alpha", 1 / 6)
    if op.word == "hardsigmoid" and abs(slope - 1 / 6) > 1e-4:
        _sloped(low, op, layout, slope)
        return
    if op.word == "softplus" and op.attributes.get("beta", 1) != 1:
        raise LoweringError("its beta is not 1")
    node = low.add(PLAIN[op.word], [layout.node])
    low.set(op.outputs[0], layout._replace(node=node))


def _sloped(low: LoweringState, op: Operation, layout: Layout, slope: float) -> None:
    """Lower a hard sigmoid whose slope is not 1/6 to a factor, an offset, and a clip to 0…1."""
    node = low.add("factor", [layout.node], shape=(1,), fixed=True)
    low.number(node, slope, "mul", 1)
    node = low.add("offset", [node], shape=(1,), fixed=True)
    low.number(node, op.attributes.get("beta", 0.5), "add", 1)
    low.set(op.outputs[0], layout._replace(node=low.add("clip", [node], low=0.0, high=1.0)))


def parametric(low: LoweringState, op: Operation) -> None:
    """Lower an activation that has a slope, alpha or bounds."""
    layout, given = low.layout(op.inputs[0]), op.attributes
    arguments: dict[str, Any] = {}
    word = {"leaky_relu": "leaky", "relu6": "relu6"}.get(op.word, op.word)
    if op.word == "leaky_relu":
        if given.get("function") == "rrelu":
            raise LoweringError("its slope is the mean of two bounds")
        arguments["slope"] = float(given.get("negative_slope", 0.01))
    elif op.word == "elu":
        arguments["alpha"] = float(given.get("alpha", 1.0))
    elif op.word in ("relu6", "clamp"):
        word, arguments = _bounded(op)
    node = low.add(word, [layout.node], **arguments)
    low.set(op.outputs[0], layout._replace(node=node))


def _bounded(op: Operation) -> tuple[str, dict[str, Any]]:
    given, function = op.attributes, op.attributes.get("function", "relu6")
    if len(op.inputs) > 1 and any(op.inputs[1:]):
        raise LoweringError("its bounds are tensors")
    if op.word == "relu6" and function != "hardtanh":
        return "relu6", {}
    low, high = (given.get("min"), given.get("max"))
    if op.word == "relu6":
        low, high = given.get("min_val", -1), given.get("max_val", 1)
    if (low, high) == (0, 6):
        return "relu6", {}
    if low == 0 and high is None:
        return "relu", {}
    if (low, high) == (-1, 1):
        return "hardtanh", {}
    bounds = {"low": low, "high": high}
    return "clip", {name: float(value) for name, value in bounds.items() if value is not None}


def prelu(low: LoweringState, op: Operation) -> None:
    layout, slopes = low.layout(op.inputs[0]), low.shape(op.inputs[1])
    size = 1
    for extent in slopes:
        size *= extent
    channels = layout.file[1] if len(layout.file) > 1 else ()
    x = layout if size == 1 else low.gather(layout, channels)
    held = vector(
        low, "weight", op.inputs[1], channels if size > 1 else (), x.own[-1] if size > 1 else ()
    )
    node = low.add("prelu", [x.node], held, shared=size == 1)
    low.set(op.outputs[0], x._replace(node=node))


_TINY = 1e-24  # the epsilon that protects a vector of zeros from a division by 0


def unit(low: LoweringState, op: Operation) -> None:
    """Lower a normalization to length 1: an RMS norm, and a factor of 1/√n for n channels."""
    layout = low.layout(op.inputs[0])
    axis = layout.file[op.attributes["dim"]]
    x = low.gather(layout, axis)
    normed = low.add("rmsnorm", [x.node], noscale=True, eps=_TINY)
    node = low.add("factor", [normed], shape=(1,), fixed=True)
    low.number(node, low.atoms.size(axis) ** -0.5, "mul", 1)
    low.set(op.outputs[0], x._replace(node=node))


def negative(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    node = low.add("factor", [layout.node], shape=(1,), fixed=True)
    low.number(node, -1, "mul", 1)
    low.set(op.outputs[0], layout._replace(node=node))


def power(low: LoweringState, op: Operation) -> None:
    """Lower a square to the product of a tensor with itself."""
    layout = low.layout(op.inputs[0])
    if op.word == "pow" and op.attributes.get("exponent") not in (2, 2.0):
        raise LoweringError("its exponent is not 2")
    low.set(op.outputs[0], layout._replace(node=low.add("mul", [layout.node, layout.node])))


def softmax(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    dim = int(op.attributes.get("dim", -1))
    x = low.gather(layout, layout.file[dim])
    node = low.add("softmax" if op.word == "softmax" else "logsoftmax", [x.node])
    low.set(op.outputs[0], x._replace(node=node))


def glu(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    dim = int(op.attributes.get("dim", -1)) % len(layout.file)
    x = low.gather(layout, layout.file[dim], exact=True)
    node = low.add("glu", [x.node])
    made = low.atoms.new(low.shape(op.outputs[0])[dim])
    file = tuple(made if at == dim else axis for at, axis in enumerate(x.file))
    low.set(op.outputs[0], Layout(node, file, (*x.own[:-1], made)))


JOINS = {"add": "add", "sub": "sub", "mul": "mul", "maximum": "maximum"}


def join(low: LoweringState, op: Operation, layouts: Sequence[Layout]) -> None:
    """Join tensors value by value; axes of size 1 are broadcast."""
    rank = len(low.shape(op.outputs[0]))
    padded = [
        low.atoms.resolved(x._replace(file=((),) * (rank - len(x.file)) + x.file)) for x in layouts
    ]
    if len(padded) == 1:  # x + x
        padded *= 2
    try:
        whole = _whole(low, padded)
    except LoweringError:
        padded = [_as_in_the_file(low, layout) for layout in padded]
        whole = _whole(low, padded)
    axes = whole.file
    maps = [matched(low, axes, layout.file) for layout in padded]
    own = separable(low, low.atoms.resolved(whole), [set(pairs) for pairs in maps])
    nodes = []
    for layout, pairs in zip(padded, maps, strict=True):
        layout = low.atoms.resolved(layout)
        target = tuple(tuple(pairs[a] for a in axis if a in pairs) for axis in own)
        nodes.append(_with_axes(low, layout, target).node)
    node = low.add(JOINS[op.word], nodes)
    file = tuple(low.atoms.leaves(axis) for axis in axes)
    low.set(op.outputs[0], Layout(node, file, own))


def _as_in_the_file(low: LoweringState, layout: Layout) -> Layout:
    """Return the tensor in a node whose axes are those of the file."""
    layout = low.atoms.resolved(layout)
    own = tuple(axis for axis in layout.file if axis)
    own = own if len(own) > 1 else ((), (), *own)
    return low.atoms.fused(low.spread(layout, own))


def _with_axes(low: LoweringState, layout: Layout, target: tuple[Axis, ...]) -> Layout:
    """Return the tensor with the target's axes; a vector stays as it is (it broadcasts)."""
    if not any(target[:-1]) and tuple(a for axis in layout.own for a in axis) == target[-1]:
        shape = low.nodes[layout.node].shape
        if shape.positions == 1 and shape.rank == 2:
            return layout
    return low.spread(layout, target)


def _whole(low: LoweringState, layouts: Sequence[Layout]) -> Layout:
    """Return a layout with every axis: that of the first full tensor, else one made of several."""
    file = tuple(
        next((x.file[at] for x in layouts if x.file[at]), ()) for at in range(len(layouts[0].file))
    )
    for _ in range(2):  # the last tensors may split atoms that the first ones also have
        for layout in layouts:
            matched(low, file, layout.file)
    for layout in layouts:
        if all(layout.file[at] or not axis for at, axis in enumerate(file)):
            return low.atoms.resolved(layout)
    file = _distinct(low, file)
    atoms = {atom for axis in file for atom in axis}
    channels = (low.atoms.leaves(layout.own[-1]) for layout in layouts)
    last = next((axis for axis in channels if axis and atoms.issuperset(axis)), ())
    rest = [tuple(atom for atom in axis if atom not in last) for axis in file]
    kept = [axis for axis in rest if axis]
    while len(kept) > MOST_AXES - 1:
        kept[:2] = [kept[0] + kept[1]]
    return Layout(layouts[0].node, file, (*(kept or [(), ()]), last))


def _distinct(low: LoweringState, file: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the axes, with new atoms where an atom stands along two different axes."""
    seen, found = set[int](), list[Axis]()
    for axis in map(low.atoms.leaves, file):
        again = not seen.isdisjoint(axis)
        found.append(
            tuple(a for b in axis for a in low.atoms.new(low.atoms.size((b,)))) if again else axis
        )
        seen.update(axis)
    return tuple(found)


def matched(low: LoweringState, main: Sequence[Axis], other: Sequence[Axis]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for a, b in zip(main, other, strict=True):
        if not b:
            continue
        found = low.atoms.paired(a, b)
        if found is None:
            raise LoweringError("its inputs split their axes in incompatible ways")
        pairs |= found
    return pairs


def separable(low: LoweringState, main: Layout, present: Sequence[set[int]]) -> tuple[Axis, ...]:
    """Split the axes of `main` so that each tensor has each axis wholly or not at all.

    `present` gives for each tensor the atoms of `main` that it has.
    """

    def kind(atom: int) -> tuple[bool, ...]:
        return tuple(atom in have for have in present)

    if all(len(set(map(kind, axis))) < 2 for axis in main.own):
        return main.own
    runs: list[list[int]] = []
    for axis in main.own:
        for at, atom in enumerate(axis):
            if runs and at and kind(runs[-1][-1]) == kind(atom):
                runs[-1].append(atom)
            else:
                runs.append([atom])
    while len(runs) > MOST_AXES:
        alike = [i for i in range(len(runs) - 1) if kind(runs[i][0]) == kind(runs[i + 1][0])]
        if not alike:
            raise LoweringError("its inputs are broadcast along too many axes")
        runs[alike[0] : alike[0] + 2] = [runs[alike[0]] + runs[alike[0] + 1]]
    return tuple(map(tuple, runs))
